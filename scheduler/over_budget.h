#pragma once

#include <vector>

#include "scheduler/ledger.h"
#include "scheduler/planner.h"
#include "scheduler/scene.h"

namespace nightshift {

/// Five parts in a hundred above the budget are within what a driver's own buffers add. Nobody is over a
/// budget of 0: it means none was given.
bool is_over_budget(Bytes used, Bytes budget);

/// Jobs that hold more than their budget may keep it while the device has room; where it has none left,
/// they are asked to leave, the one that took most first, until what is lacking is on its way back. Nobody
/// within its budget is asked on their account, and nobody at all while the device is not healthy.
std::vector<Yield> over_budget_yields(const Scene& scene, const Ledger& ledger);

}  // namespace nightshift
