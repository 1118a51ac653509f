#pragma once

#include <vector>

#include "scheduler/planner.h"
#include "scheduler/scene.h"

namespace nightshift {

/// Running jobs that have to leave because their window closes, by the job's or its class's rule. yield:
/// asked to save one grace time before the edge, so that the machine is free at it, unless expected to
/// be done by then. finish_if_p90_before: left alone while its cautious end lies within the slack after
/// the edge. kill: at the edge, without time to save. One that cannot be preempted is only killed:
/// else its window only says when it may start.
std::vector<Yield> window_yields(const Scene& scene);

/// The next instant at which window_yields could say something new.
std::optional<UnixMs> next_window_yield(const Scene& scene);

}  // namespace nightshift
