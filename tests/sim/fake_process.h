#pragma once

#include "scheduler/attempt.h"
#include "scheduler/job.h"
#include "scheduler/transition.h"
#include "tests/support/dice.h"

namespace nightshift::tests {

/// A process that exists only as a plan of what it will do: when it comes up, when and how it ends, and
/// how it takes a request to leave. Its end is decided at its birth, the answer to a request at the request.
struct FakeProcess {
    AttemptId attempt;
    UnixMs up_at;  ///< starting -> running
    UnixMs end_at;
    AttemptReport report;  ///< what is seen at end_at
    bool is_told_to_leave = false;

    static FakeProcess launch(Dice& dice, const Job& job, const AttemptId& attempt, UnixMs now,
                              Millis work_left);
    /// May save in time, save too late, ignore the request, fail while saving, or finish anyway.
    void ask_to_leave(Dice& dice, const Job& job, UnixMs now);
    /// Killed: gone within two seconds, unless it ends before.
    void kill(Dice& dice, UnixMs now);
};

}  // namespace nightshift::tests
