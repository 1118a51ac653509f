#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "tests/product_sim/life.h"

namespace nightshift::tests {

/// Looks at what is stored after everything that happens, and holds it against what was seen before, what
/// was promised and what is really the case. Throws Broken with the promise that was broken.
class Observer {
  public:
    Observer(Agenda& agenda, SimMachine& machine, Diary& diary, std::map<std::string, Bytes> totals)
        : agenda_(agenda), machine_(machine), diary_(diary), totals_(std::move(totals)) {}

    /// After a commit. `is_well`: the disk takes everything, so that reasons are up to date.
    void look(Life& life, bool is_well);
    /// After a start: what was there is still there, and every invariant of the store holds.
    void look_after_start(Life& life);
    /// When all is over: nothing is left.
    void look_at_end(Life& life);

    /// The daemon said yes to these.
    void promise_job(JobId id, const std::string& name) { promised_[id] = name; }
    void promise_cancel(JobId id) { cancelled_.emplace(id, agenda_.steady()); }
    bool is_cancel_promised(JobId id) const { return cancelled_.contains(id); }

    void note_start(Life& life, const Worker& worker, const wire::Start& start);
    void note_asked(Life& life, const AttemptId& attempt, bool is_cancel);

    /// Jobs that are not over, as of the newest look.
    int open_jobs() const { return open_jobs_; }
    std::string open_text() const;
    const std::set<JobId>& waiting() const { return waiting_; }
    const std::set<JobId>& live() const { return live_; }
    const std::set<JobId>& held() const { return held_; }
    const std::set<JobId>& ended() const { return over_; }
    int newest_version(JobId id) const { return jobs_.at(id).version; }
    std::int64_t attempts() const { return static_cast<std::int64_t>(ends_.size()); }
    std::int64_t preemptions() const { return preemptions_; }
    std::int64_t fires() const { return static_cast<std::int64_t>(fires_.size()); }

  private:
    struct Seen {
        std::string state, name;
        int version = 0, attempt = 0;
    };
    struct End {
        std::string kind;
        std::optional<int> exit_code, signal;
        friend bool operator==(const End&, const End&) = default;
    };
    void look_at_jobs(Life& life);
    void look_at_attempts(Life& life);
    void judge_run_time(Life& life, const AttemptId& id, const std::string& end_kind);
    void look_at_leases(Life& life);
    void look_at_reasons(Life& life);
    void look_at_schedules(Life& life);
    void judge_job(JobId id, const Seen& now, JobId rerun_of);
    void judge_end(const AttemptId& id, const End& end);
    void judge_silence(const AttemptId& id);
    void self_check(Life& life);
    void check_rows(Life& life, const char* sql, const std::string& what);

    Agenda& agenda_;
    SimMachine& machine_;
    Diary& diary_;
    std::map<std::string, Bytes> totals_;
    std::map<JobId, Seen> jobs_;
    std::map<AttemptId, End> ends_;
    std::map<JobId, std::string> promised_;
    std::map<JobId, Millis> cancelled_;
    std::map<std::pair<std::string, std::int64_t>, JobId> fires_;
    std::set<JobId> waiting_, live_, held_, over_;
    std::map<AttemptId, Millis> silent_since_;  ///< gone, and its end is not stored
    std::map<std::string, Millis> late_since_;  ///< schedules that are due
    int open_jobs_ = 0;
    std::int64_t preemptions_ = 0;
    int life_looked_at_ = 0;  ///< of the daemon whose ends the newest look saw
};

}  // namespace nightshift::tests
