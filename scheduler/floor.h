#pragma once

#include <optional>

#include "scheduler/snapshot.h"

namespace nightshift {

/// The floor is reckoned anew at full steps of the clock and whenever an attempt ends.
inline constexpr Millis kFloorStep = minutes(15);

/// Waiting for room, all stretches together.
Millis eligible_wait(const Job& job, UnixMs now);

/// The candidate that goes before all of the class above its own: the first of a class that got less than
/// the policy's share of the device time of the last 24 h, once it has waited for room as long as that
/// share of a day. Only the class directly above inference can be passed, and no gate opens by it.
const Job* lifted_job(const Snapshot& snapshot, UnixMs now);

/// A running job of a class that is still below its floor, which waited so long before: only inference
/// may preempt it.
bool is_sheltered(const Snapshot& snapshot, const LiveJob& live, UnixMs now);

/// When lifted_job or is_sheltered could say something else by the clock alone.
std::optional<UnixMs> next_floor_step(const Snapshot& snapshot, UnixMs now);

}  // namespace nightshift
