#pragma once

#include <optional>

#include "scheduler/planner.h"
#include "scheduler/scene.h"

namespace nightshift {

/// When the plan could change though nothing happens: a gate that opens by the clock, a window's edge,
/// a start deadline, a point of ageing. Always later than now.
std::optional<UnixMs> next_wakeup(const Scene& scene, const Plan& plan);

}  // namespace nightshift
