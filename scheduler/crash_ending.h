#pragma once

#include <string_view>

#include "scheduler/result.h"

namespace nightshift {

/// Arms a point, NAME or NAME:N, with an ending of the caller's own instead of the end of the process: a
/// simulation ends a daemon that lives in its own process. `ending` may throw. Fails as arm_crash_point.
Status arm_crash_ending(std::string_view text, void (*ending)());

/// Nothing is armed any more.
void disarm_crash_point();

}  // namespace nightshift
