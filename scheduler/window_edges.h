#pragma once

#include <vector>

#include "scheduler/planner.h"
#include "scheduler/scene.h"

namespace nightshift {

/// Running jobs that have to save and leave because their window closes: asked one grace time before
/// the edge, so that the machine is free at it. A job that is expected to be done by then is left
/// alone, and so is one that cannot be preempted: its window only says when it may start.
std::vector<Yield> window_yields(const Scene& scene);

/// The next instant at which window_yields could say something new.
std::optional<UnixMs> next_window_yield(const Scene& scene);

}  // namespace nightshift
