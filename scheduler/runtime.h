#pragma once

#include <optional>
#include <string>

#include "scheduler/snapshot.h"

namespace nightshift {

/// What a guess about a run rests on.
enum class RunBasis { kNothing, kTimeLimit, kHistory, kEstimate };

/// How long a run is expected to last from its next start; empty = nobody knows.
struct RunTime {
    std::optional<Millis> p50, p90;
    RunBasis basis = RunBasis::kNothing;
};

/// From the kind's estimate, else the history of the kind, else the time limit (an upper bound only).
/// A job that resumes has the time of its earlier attempts taken off.
RunTime predict_run(const Job& job, const Snapshot& snapshot);

/// What `predict_run` rests on, in words.
std::string basis_of_run(const Job& job, const Snapshot& snapshot);

/// What is left of the time limit: the job's, else its class's, else the general one; inference has
/// none of its own accord.
std::optional<Millis> time_left(const Job& job, const Policy& policy);

/// When a run that starts now is expected to be over, cautiously (p90). Nothing when nobody knows.
std::optional<UnixMs> end_when_started(const Job& job, const Snapshot& snapshot, UnixMs now);

/// When a live job is expected to be gone, cautiously (p90). Nothing when nobody knows or when it has
/// outlived the guess.
std::optional<UnixMs> predicted_end(const LiveJob& live, const Snapshot& snapshot, UnixMs now);

}  // namespace nightshift
