#pragma once

#include <optional>
#include <vector>

#include "scheduler/snapshot.h"

namespace nightshift {

/// Fewer runs than this say nothing about the next one.
inline constexpr int kLearnedRunsMin = 3;

/// The statistics a job is compared with: those of its group, else, for a native kind, those of the whole
/// kind. Commands have no more in common than their name. Null when there are too few runs.
const KindStats* stats_of(const JobSpec& spec, const std::vector<KindStats>& stats);

/// A budget that the next run of such jobs is not expected to exceed: the highest peak of the newest runs,
/// and a margin. For n comparable runs the next one exceeds their highest with a probability of at most
/// 1 / (n + 1), the margin comes on top. Never more than the largest budget they had unless one used
/// more, since some jobs take what they are given. Nothing for runs that used no device memory.
std::optional<Bytes> suggested_budget(const KindStats& stats);

/// The same for a job, from the runs of its group alone.
std::optional<Bytes> suggested_budget(const JobSpec& spec, const std::vector<KindStats>& stats);

/// For a job that ran out of its budget or over it: a quarter more, or a tenth more than it was seen to hold
/// if that is more, in whole MiB; at most `most`. Nothing when that is not more than it had.
std::optional<Bytes> raised_budget(Bytes budget, Bytes peak, Bytes most);

}  // namespace nightshift
