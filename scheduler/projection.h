#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/snapshot.h"

namespace nightshift {

/// A job of a projection. Waiting ones come at `arrives_at`; live ones are on their device already.
struct ProjectedJob {
    Job job;
    UnixMs arrives_at;
    Millis work;                  ///< run time it still needs from its start, or from the beginning
    std::optional<LiveJob> live;  ///< how it runs at the beginning; absent: it waits
    bool ends_well = true;        ///< false: it fails at its end, and what depends on it is dropped
    /// A person ended it then, whether it ran or not.
    std::optional<UnixMs> cancelled_at = std::nullopt;
    /// Not empty: it is dropped when it comes while an earlier one of the same series is not over.
    std::string exclusive_series = {};
};

/// Something that changes during a projection and is not a job.
struct WorldChange {
    UnixMs at;
    std::optional<Policy> policy;
    std::vector<std::pair<std::string, Bytes>> foreign;  ///< by device
    std::optional<bool> is_paused;
};

/// Everything that a projection rests on.
struct ProjectionInput {
    /// Policy, devices, statistics, pause and machine at `from`; its jobs are not looked at.
    Snapshot world;
    std::vector<ProjectedJob> jobs;
    std::vector<WorldChange> changes;  ///< in order of time
    UnixMs from, until;
    /// Asked before each pass; true ends the projection there. May be empty.
    std::function<bool()> is_unwanted;
};

/// What became of a job. Times that lie behind the end of the projection are absent.
struct ProjectedRun {
    JobId job;
    std::optional<UnixMs> first_start, end;
    int preemptions = 0;
    Millis on_device;         ///< time for which it held device memory
    bool is_dropped = false;  ///< expired, cancelled, or its dependency can never hold
};

struct Projection {
    std::vector<ProjectedRun> runs;  ///< in the order of the input's jobs
    int passes = 0;
    bool is_cut_short = false;  ///< it came to its limit of passes before `until`
};

/// Passes of one projection; a night of a few hundred jobs needs a few thousand.
inline constexpr int kProjectionPassesMax = 50'000;
/// How long a job that was asked to yield takes to save and leave.
inline constexpr Millis kProjectedLeave = seconds(5);

/// Lives through from..until with the real planner: jobs arrive, run for their work, yield when they
/// are asked to (with a checkpoint they go on where they were, else they start over) and end well.
/// Pure. Nothing fails of its own accord, and memory is free as soon as a job is gone.
Projection project(const ProjectionInput& input, const TimeZones& zones);

}  // namespace nightshift
