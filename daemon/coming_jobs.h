#pragma once

#include <vector>

#include "api/commands.h"
#include "api/submit_codec.h"
#include "scheduler/cron.h"

namespace nightshift::daemon {

/// Fires of one schedule, and jobs of all of them, that a forecast looks at.
inline constexpr int kComingFiresMax = 24;
inline constexpr std::size_t kComingJobsMax = 200;

/// What enabled schedules are going to submit by `until`, in order of time; each chain as it would be
/// checked now. Ids and order keys lie behind those of every stored job. A chain that would be refused
/// adds nothing, as on the night itself; the earliest kComingJobsMax jobs are kept, chains whole.
std::vector<api::ComingJob> coming_jobs(const std::vector<Schedule>& schedules,
                                        const api::SubmitDefaults& defaults, UnixMs until);

}  // namespace nightshift::daemon
