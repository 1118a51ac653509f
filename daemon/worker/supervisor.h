#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/loop.h"
#include "daemon/worker/attempt_record.h"
#include "daemon/worker/channel.h"
#include "daemon/worker/process.h"
#include "daemon/worker/workplace.h"

namespace nightshift::daemon {

/// Watches one attempt from its grant until its process is gone and its end is stored: talks to the
/// worker, keeps deadlines, climbs from asking to killing. Destroying it leaves the process alone.
/// Thread: the loop.
class Supervisor : public std::enable_shared_from_this<Supervisor> {
  public:
    struct Callbacks {
        std::function<void()> on_memory;                    ///< claimed memory changed
        std::function<void(const AttemptId&)> on_finished;  ///< end stored and process gone
    };

    Supervisor(Loop& loop, const Workplace& workplace, Job job, Attempt attempt, Bytes budget,
               Callbacks callbacks);

    /// Starts the worker's process. The attempt is committed.
    void launch();
    /// Takes over a process of an earlier daemon: the worker, or one of what a lost worker left behind.
    /// `is_ended`: its end is stored, only the process is left.
    void adopt(std::unique_ptr<Process> process, bool is_ended);
    /// A worker said hello with this attempt's token.
    void connect(std::shared_ptr<Channel> channel, const wire::Hello& hello);

    /// The store says yielding or stopping (committed): tell the worker, then wait for at most `grace`.
    void ask_to_yield(Millis grace, const std::string& reason);
    void stop(Millis grace, const std::string& reason);
    void ping();

    const AttemptId& id() const { return attempt_.id; }
    const std::string& token() const { return attempt_.token; }
    const std::string& device() const { return attempt_.device; }
    const std::optional<ProcessIdentity>& worker() const { return attempt_.worker; }
    const std::optional<Progress>& progress() const { return progress_; }
    /// How old the newest progress is.
    Millis progress_age() const { return loop_.clock().steady() - progress_at_; }
    /// How long the attempt has run, whatever was done to the wall clock; nothing before it runs.
    std::optional<Millis> ran() const;
    Bytes claimed() const { return is_gone_ ? Bytes{} : claimed_; }
    Bytes used() const;
    Bytes peak() const { return peak_; }
    Bytes budget() const { return budget_; }
    Bytes held() const { return std::max(budget_, used()); }
    /// Holds more than its budget, and not for a moment only.
    bool is_over_budget() const { return is_over_budget_; }
    bool is_gone() const { return is_gone_; }
    bool is_end_stored() const { return is_ended_; }
    /// Why it cannot be ended, for people.
    const std::optional<std::string>& why_stuck() const { return stuck_; }
    /// The newest driver sample of this attempt's processes.
    void set_measured(Bytes used);

  private:
    /// A worker that was told goodbye has this long to leave.
    static constexpr Millis kLinger = seconds(10);
    enum class Asked { kNothing, kYield, kStop };

    void watch(std::unique_ptr<Process> process);
    void on_message(wire::FromWorker message);
    void on_started(const wire::Started& started);
    void on_progress(const Progress& progress);
    void on_checkpoint(Checkpoint checkpoint);
    void on_refused(const wire::CheckpointRefused& refused);
    void on_exit(const ExitStatus& status);
    /// Nothing of the attempt is left.
    void on_gone();
    void finish(AttemptFacts facts);
    void maybe_start();
    Result<wire::Start> start_message();
    void tell();
    void arm_deadline(Millis wait);
    void on_deadline();
    void arm_time_limit();
    void on_time_limit();
    /// Kills everything of the attempt, again and again until it is gone. True: nothing is left.
    bool kill_all();
    /// Says once that SIGKILL does not end it; what it holds stays booked.
    void note_stuck(const std::vector<FamilyMember>& left);
    void store_use();
    /// The ledger counts what it really holds; the planner is told when that is more than the budget, and
    /// people once.
    void note_over_budget();
    void check_finished();

    Loop& loop_;
    const Workplace& workplace_;
    Job job_;
    Attempt attempt_;
    Bytes budget_;
    Callbacks callbacks_;
    std::unique_ptr<Process> process_;
    std::shared_ptr<Channel> channel_;
    std::unique_ptr<Alarm> deadline_;
    std::unique_ptr<Alarm> time_limit_;
    std::unique_ptr<Alarm> linger_;
    std::optional<Progress> progress_;
    Millis progress_at_;               ///< steady
    Millis ran_before_;                ///< until ran_from_
    std::optional<Millis> ran_from_;   ///< steady
    std::optional<Millis> stored_at_;  ///< steady: progress and use went to the database
    Bytes claimed_, measured_, peak_;
    Asked asked_ = Asked::kNothing;
    std::string reason_;
    Millis asked_until_;                   ///< steady
    std::optional<Millis> killing_since_;  ///< steady: SIGKILL was sent, and somebody was left
    std::optional<std::string> stuck_;
    std::int64_t stuck_pid_ = 0;       ///< whom stuck_ names
    ExitStatus worker_status_;         ///< while what the worker left behind is waited for
    bool is_identity_stored_ = false;  ///< before that the worker is not told to start
    bool is_start_sent_ = false;
    bool has_said_done_ = false;
    bool is_end_pending_ = false;
    bool is_ended_ = false;
    bool is_worker_gone_ = false;
    bool is_gone_ = false;
    bool is_over_budget_ = false;
    bool is_over_budget_told_ = false;
    int samples_over_budget_ = 0;  ///< in a row
    int pings_unanswered_ = 0;
};

}  // namespace nightshift::daemon
