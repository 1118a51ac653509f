#pragma once

#include <vector>

#include "scheduler/backfill.h"
#include "scheduler/gates.h"
#include "scheduler/ledger.h"
#include "scheduler/planner.h"
#include "scheduler/preemption.h"
#include "scheduler/scene.h"

namespace nightshift {

/// One walk over the candidates in planning order. Each job either starts, or is recorded with all of
/// its closed gates; the first of each class that lacks room gets a reservation and may preempt.
class Pass {
  public:
    /// What `scene` refers to must outlive the pass. With `words_for`, only that job's gates get their words.
    explicit Pass(const Scene& scene, std::optional<JobId> words_for = std::nullopt);

    /// Call once. Plan::waiting is in planning order; Plan::next_wakeup holds only what the walk itself
    /// came across. With `until`, only up to that job: what stands behind it cannot change its fate.
    Plan run(std::optional<JobId> until = std::nullopt);
    /// The ledger after run(), with its starts and leaving jobs.
    const Ledger& ledger() const { return ledger_; }

  private:
    void yield_at_window_edges();
    void yield_over_budget();
    void choose_words(const Job& job) {
        scene_.has_words = has_words_ && (!words_for_ || *words_for_ == job.id);
    }
    void decide(std::size_t index);
    std::vector<Gate> closed_gates(std::size_t index) const;
    ClassActivities activities_for(std::size_t index) const;
    void start(const Job& job, const Fit& fit);
    void wait_for_room(const Job& job, const std::vector<Fit>& fits, std::vector<Gate>& gates, bool is_ready);
    /// What it lacks is on its way back: nobody takes that meanwhile. False when it is not.
    bool set_aside(const Job& job, const Fit& fit);
    /// Nobody behind it gets what it lacks of the machine first.
    void keep_turn(const Job& job, const std::vector<Gate>& gates);
    /// The plan may change then by the clock alone.
    void wake_at(UnixMs at);
    /// A job that waits for the machine and now would be over before a reserved time: later it would
    /// not, and others may have what is kept for it. Plan::next_wakeup gets that instant.
    void remember_turn(const Job& job);
    /// Where the least is missing once things have settled.
    const Fit& nearest_fit(const Job& job, const std::vector<Fit>& fits) const;
    /// Of a job that does not fit there now.
    Outlook outlook_of(const Job& job, const Fit& fit) const;
    void add_order_gate(const Job& job, std::vector<Gate>& gates) const;
    /// True when victims were asked to leave for the job.
    bool try_to_preempt(const Job& job, const std::vector<Fit>& fits, std::vector<Gate>& gates);
    Shortage shortage_of(const Job& job, const Fit& fit) const;
    void record(const Job& job, std::vector<Gate> gates);

    Scene scene_;  ///< its words are switched on and off from job to job
    const std::optional<JobId> words_for_;
    const bool has_words_;
    Ledger ledger_;
    std::vector<const Job*> order_;
    std::vector<std::vector<Gate>> standing_;  ///< by index in order_
    ClassActivities activities_;
    std::vector<Reservation> reservations_;
    std::vector<std::pair<std::string, JobId>> kept_for_;
    std::array<bool, kJobClasses.size()> has_head_{};  ///< a job of the class waits
    std::array<bool, kJobClasses.size()> has_room_head_{};
    std::vector<std::pair<int, JobId>> room_waiters_;  ///< rank and job, in order
    std::vector<const Job*> running_;                  ///< live, or started by this pass
    Plan plan_;
};

}  // namespace nightshift
