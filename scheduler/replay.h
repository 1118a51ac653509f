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
    std::optional<UnixMs> asked = std::nullopt;      ///< to leave, by the planner
    std::optional<UnixMs> sent_away = std::nullopt;  ///< by a person, or for what it held
    std::optional<UnixMs> released = std::nullopt;   ///< its memory was seen free; empty = at its end
    bool is_retried = false;  ///< it ended by itself, and the job came back to the queue
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
    std::vector<ProjectedRun> runs;   ///< by the order of Past::jobs
    std::vector<Decision> decisions;  ///< starts and requests to leave, in order of time
    std::vector<Decision> undone;     ///< see Projection
    bool is_cut_short = false;
};

struct Replay {
    Story recorded;  ///< what happened
    Story same;      ///< the same rules lived through again: how far a replay can be trusted
    Story changed;   ///< with the other policy or card
    /// Share of the recorded decisions that `same` makes for the same attempt at the same instant, of those
    /// that either of them makes.
    double agreement = 0;
    std::vector<Decision> missed, added;  ///< recorded and not in `same`; in `same` and not recorded
};

/// What another policy or other devices would have made of the past. Run times are the recorded ones;
/// a job that never ended runs to the end of the stretch. Absent: nothing changes there.
struct ReplayChange {
    std::optional<Policy> policy;
    std::vector<Device> devices;  ///< empty = the recorded ones
};

/// Re-runs the past with the real planner. Pure.
Replay replay(const Past& past, const ReplayChange& change, const TimeZones& zones);

}  // namespace nightshift
