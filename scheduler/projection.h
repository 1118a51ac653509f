#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/snapshot.h"

namespace nightshift {

/// How long a daemon may take from the reason of a start or of a request to leave to the act itself: it waits
/// up to 10 s for the memory of an ended job and up to 5 s for a sample of the card.
inline constexpr Millis kReactionMax = seconds(15);

/// What the record tells of one attempt of a job; nothing of it for a job that is still to come.
struct AttemptFacts {
    Millis launch;                ///< from the grant until its process was up
    std::optional<Millis> leave;  ///< from the request to its end
    Millis release;               ///< from its end until its memory was seen free
    /// When it was granted and asked to leave.
    std::optional<UnixMs> granted, asked;
    std::optional<UnixMs> sent_away;  ///< it was asked to leave then, but not by the planner
    /// Where no record is followed: how long the acts take.
    Millis start_reaction, ask_reaction;
    /// Acts that were due at an instant and were given up after that time.
    std::vector<std::pair<UnixMs, Millis>> undone;
};

/// It ended by itself and came back to the queue: how long it pauses, and the work of its next attempt.
struct ProjectedRetry {
    Millis pause, work;
};

/// A job of a projection. Waiting ones come at `arrives_at`; live ones are on their device already.
struct ProjectedJob {
    Job job;
    UnixMs arrives_at;
    Millis work;                  ///< run time it still needs from its start, or from the beginning
    std::optional<LiveJob> live;  ///< how it runs at the beginning; absent: it waits
    bool ends_well = true;        ///< false: it fails at its end, and what depends on it is dropped
    std::vector<AttemptFacts> attempts = {};   ///< by number, from 1
    std::vector<ProjectedRetry> retries = {};  ///< in order; after the last one it ends
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
    /// The record is followed: a decision waits for the instant at which the record made it, so that what
    /// follows from it comes at its own instant too. One that the record did not make within kReactionMax is
    /// made then, if it is still due: there the projection goes its own way.
    bool is_recorded = false;
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

/// A start, or a request to leave.
struct Decision {
    UnixMs at;
    JobId job;
    int attempt = 0;
    bool is_start = true;
    JobId beneficiary = {};  ///< of a preemption
    Millis reaction = {};    ///< since it was due
};

struct Projection {
    std::vector<ProjectedRun> runs;   ///< in the order of the input's jobs
    std::vector<Decision> decisions;  ///< in order of time
    std::vector<Decision> undone;     ///< were due and given up: `at` is when, `reaction` how long after
    int passes = 0;
    bool is_cut_short = false;  ///< it came to its limit of passes before `until`
};

/// Passes of one projection; a night of a few hundred jobs needs a few thousand.
inline constexpr int kProjectionPassesMax = 50'000;
/// How long a job that was asked to yield takes to save and leave.
inline constexpr Millis kProjectedLeave = seconds(5);

/// Lives through from..until with the real planner: jobs arrive, run for their work, yield when they
/// are asked to (with a checkpoint they go on where they were, else they start over) and end well, or
/// come back as `retries` tell. Pure. Where no facts tell it, memory is free as soon as a job is gone.
Projection project(const ProjectionInput& input, const TimeZones& zones);

}  // namespace nightshift
