#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/projection.h"

namespace nightshift {

/// One attempt of the past.
struct PastAttempt {
    UnixMs started;  ///< granted
    std::optional<UnixMs> running, ended;
    bool is_preempted = false;
    std::string device;
};

/// A job of the past, as the database tells it.
struct PastJob {
    Job job;
    UnixMs ready_at;  ///< submitted, or released when it was held
    std::vector<PastAttempt> attempts;
};

/// What is known of a stretch of the past.
struct Past {
    Snapshot world;  ///< policy, devices, machine, pause at `from`
    std::vector<PastJob> jobs;
    std::vector<WorldChange> changes;
    UnixMs from, until;
    std::function<bool()> is_unwanted;  ///< see ProjectionInput
};

/// Sums over the jobs of a class.
struct ClassFigures {
    int jobs = 0;     ///< that became ready in the stretch
    int started = 0;  ///< of these
    int ended = 0;
    Millis wait_mean, wait_p90, wait_max;  ///< from ready to first start; of those that started
    int preemptions = 0;
    Millis on_device;  ///< device time, all jobs of the stretch
};

/// A stretch of time as it was, or as it would have been.
struct Story {
    std::array<ClassFigures, kJobClasses.size()> classes;
    std::vector<ProjectedRun> runs;  ///< by the order of Past::jobs
    bool is_cut_short = false;
};

struct Replay {
    Story recorded;        ///< what happened
    Story same;            ///< the same rules lived through again: how far a replay can be trusted
    Story changed;         ///< with the other policy or card
    double agreement = 0;  ///< share of the recorded first starts that `same` meets within kReplayTolerance
};

/// Starts that differ by less than this count as the same.
inline constexpr Millis kReplayTolerance = seconds(10);

/// What another policy or other devices would have made of the past. Run times are the recorded ones;
/// a job that never ended runs to the end of the stretch. Absent: nothing changes there.
struct ReplayChange {
    std::optional<Policy> policy;
    std::vector<Device> devices;  ///< empty = the recorded ones
};

/// Re-runs the past with the real planner. Pure.
Replay replay(const Past& past, const ReplayChange& change, const TimeZones& zones);

}  // namespace nightshift
