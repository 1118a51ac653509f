#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

/// What kinds sleep and burn share: a length of time, memory to claim, checkpoints.
struct TimedWork {
    std::string phase;
    Millis length;
    Bytes allocate;           ///< 0 = the budget
    Millis checkpoint_every;  ///< 0 = only when asked to yield
};

/// Reads params that were checked against timed_schema(). Throws JobError("bad_param").
TimedWork read_timed_work(std::string phase, const nlohmann::json& params);
nlohmann::ordered_json timed_schema();

/// Lets the time pass that is left of `work`, going on where a checkpoint stopped; `tick` is called about
/// ten times a second. Throws StopRequested.
void pass_time(JobContext& context, const TimedWork& work, const std::function<void()>& tick);

}  // namespace nightshift::jobs
