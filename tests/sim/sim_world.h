#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "scheduler/cron.h"
#include "scheduler/planner.h"
#include "tests/sim/fake_process.h"
#include "tests/support/fixed_zones.h"

namespace nightshift::tests {

/// One seeded night of the pure core: real planner, transitions, ledger, calendar and cron; fake clock,
/// processes, GPU and other programs. It plays the daemon's part (apply the plan, kill at deadlines,
/// see memory come back late) and throws std::runtime_error with the broken promise.
class SimWorld {
  public:
    explicit SimWorld(std::uint64_t seed);

    /// Runs until `hours_ahead` after its start, with arrivals all the time.
    void run_night(int hours_ahead);
    /// No more arrivals, no windows: everything that can end has to end within `days`.
    void drain(int days);

    std::int64_t attempts() const { return attempts_; }
    std::int64_t preemptions() const { return preemptions_; }
    std::int64_t fires() const { return static_cast<std::int64_t>(fired_.size()); }
    std::size_t jobs() const { return jobs_.size(); }
    /// Longest that the first waiting inference job waited for jobs that can be preempted.
    Millis inference_wait_max() const { return inference_wait_max_; }

  private:
    struct Running {
        Attempt attempt;
        Lease lease;
        FakeProcess process;
        std::vector<UnixMs> preempted_at;
    };
    struct Reclaim {
        Lease lease;
        UnixMs free_at;
    };

    void describe_machine();
    void describe_policy();
    void submit(UnixMs now);
    void submit_from_schedule(UnixMs nominal);
    Job& add_job(JobSpec spec);

    void tick();
    void arrivals();
    void schedule_fires();
    void process_events();
    void end_attempt(JobId id);
    void settle_dependents(const Job& parent);
    void watch_deadlines();
    void release_memory();
    void change_foreign();
    void maybe_cancel();
    Snapshot snapshot() const;
    void apply(const Plan& plan, const Snapshot& seen);
    void start(const Start& start);
    void yield(const Yield& yield);
    void change_state(Job& job, JobState to);
    void check(const Plan& plan, const Snapshot& seen);
    /// Plans and applies until nothing more follows from this instant; returns the last plan.
    Plan settle();
    void check_wakeup(const Plan& plan);
    UnixMs next_event(const Plan& plan) const;
    [[noreturn]] void fail(const std::string& what) const;

    std::uint64_t seed_;
    Dice dice_;
    FixedZones zones_;
    UnixMs now_;
    UnixMs arrivals_until_;
    UnixMs next_arrival_;
    Policy policy_;
    std::vector<DeviceState> devices_;
    int cpu_total_ = 8;
    UnixMs next_foreign_;
    std::map<JobId, Job> jobs_;
    std::map<JobId, Millis> work_;  ///< true run time of a job
    std::map<JobId, Running> live_;
    std::map<JobId, std::vector<UnixMs>> preempted_at_;
    std::vector<Reclaim> reclaiming_;
    Schedule schedule_;
    std::set<UnixMs> fired_;
    std::optional<UnixMs> last_preemption_at_;
    std::map<JobId, UnixMs> head_since_;
    Millis inference_wait_max_;
    std::int64_t next_id_ = 1;
    std::int64_t attempts_ = 0;
    std::int64_t preemptions_ = 0;
};

}  // namespace nightshift::tests
