#pragma once

#include <vector>

#include "scheduler/snapshot.h"

namespace nightshift {

/// Waiting makes a job rise within its class: one point for each stretch of waiting, up to a bound.
inline constexpr Millis kAgeingStep = minutes(30);
inline constexpr int kAgeingMax = 50;

/// priority + points for all the time that nothing but VRAM and order kept it waiting. Pauses and closed
/// windows stop the count and do not reset it.
int effective_priority(const Job& job, UnixMs now);
/// When the job gains its next point; nothing when it ages no more.
std::optional<UnixMs> next_ageing(const Job& job, UnixMs now);

/// The total order of the queue: class rank, effective priority (high first), order_key, id. Ageing
/// never crosses a class rank.
bool goes_before(const Job& a, const Job& b, UnixMs now);

/// All candidates of the snapshot in that order, but for the one that the floor lifts (floor.h): it goes
/// first after inference. The pointers live as long as the snapshot.
std::vector<const Job*> planning_order(const Snapshot& snapshot, UnixMs now);

}  // namespace nightshift
