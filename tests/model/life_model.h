#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/job.h"

namespace nightshift::tests {

/// How an attempt's process went.
enum class Exit { kZero, kTryAgain, kYielded, kOther, kSignal, kLost, kReboot, kSpawnError };

/// The life of jobs as the design tells it, in plain maps: written without a look at the store's SQL or at
/// transition.cpp, so that both can be held against it. Every verb says whether it is allowed; one that is
/// not changes nothing.
struct LifeModel {
    struct Dep {
        DependencyKind kind;
        bool is_met = false;
    };
    struct Life {
        JobClass job_class = JobClass::kTraining;
        JobState state = JobState::kWaiting;
        bool held = false;
        bool starts_over = false;  ///< checkpoint: none
        int attempt = 0, preemptions = 0, retries = 0, retries_left = 0;
        std::map<int, Dep> after;
        std::string outcome, stop_reason;
        bool has_saved = false;  ///< in this attempt
        std::optional<std::int64_t> retry_at_ms;
    };
    std::map<int, Life> jobs;
    std::map<int, int> keys;  ///< idempotency key -> job
    std::int64_t now_ms = 0;

    int submit(JobClass job_class, int retries, bool hold, bool starts_over, int parent, DependencyKind kind);
    bool edit(int id, int retries);
    bool hold(int id, bool held);
    bool cancel(int id);  ///< a live one is asked to stop
    bool grant(int id);
    bool run(int id);
    bool save(int id);
    bool yield(int id);
    bool overrun(int id);  ///< its time limit is over
    bool exit(int id, Exit how);
    bool can_move(int id, int other) const;

  private:
    void finish(int id, JobState state, const std::string& code);
    void try_again_or_fail(int id, const std::string& code);
};

}  // namespace nightshift::tests
