#pragma once

#include <optional>
#include <vector>

#include "scheduler/planner.h"
#include "scheduler/windows.h"

namespace nightshift {

/// What a change took out of a snapshot or added to it.
struct Undo {
    bool is_paused = false;
    struct Taken {
        std::size_t place = 0;
        LiveJob live;
        bool is_queued = false;  ///< it waits now, as the last candidate of its class
    };
    std::optional<Taken> taken = std::nullopt;
};

/// Makes the change: to the waiting job itself, or to the snapshot around it. Verbs, joined by '+' when
/// several are needed: release, resume_queue, clear_not_before, set_priority, set_vram, preempt, cancel.
Undo apply(const Counterfactual& change, Snapshot& snapshot, Job& job);
/// Puts the snapshot back as it was before the newest apply(); the job is the caller's.
void take_back(Undo undo, Snapshot& snapshot);

/// The changes of one person's action (or all that its flags need) that were tried and found to get the
/// job going. At most kTriesMax are tried. `snapshot` has the job as the last candidate of its class; it
/// is changed meanwhile and put back. `windows`: those of `now`. `is_seen`: a real pass looks so far back
/// in the queue.
std::vector<Counterfactual> counterfactuals(Snapshot& snapshot, const WindowBook& windows,
                                            const Explanation& explanation, const Job& job, bool is_seen,
                                            const TimeZones& zones, UnixMs now);

}  // namespace nightshift
