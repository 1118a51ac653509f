#pragma once

#include <string>
#include <vector>

#include "scheduler/planner.h"

namespace nightshift {

/// Makes the change on copies: to the waiting job itself, or to the snapshot around it. Verbs, joined
/// by '+' when several are needed: release, resume_queue, clear_not_before, set_priority, set_vram,
/// preempt, cancel.
void apply(const Counterfactual& change, Snapshot& snapshot, Job& job);

/// "it starts now" or "job 3 yields for it" when the job, so described, gets going; empty when not.
std::string gets_going(const Snapshot& snapshot, const Job& job, const TimeZones& zones, UnixMs now);

/// The changes of one person's action (or all that its flags need) that were tried on a copy and found
/// to get the job going. At most kTriesMax are tried.
std::vector<Counterfactual> counterfactuals(const Snapshot& snapshot, const Job& job,
                                            const Explanation& explanation, const TimeZones& zones,
                                            UnixMs now);

}  // namespace nightshift
