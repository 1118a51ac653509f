#pragma once

#include <cstdint>

#include "jobs/runtime/stop_signal.h"
#include "scheduler/attempt.h"
#include "scheduler/units.h"

/// Rules about who dies with whom.
namespace nightshift::jobs {

/// Makes this process the parent of everything its descendants leave behind, so that nothing a job
/// starts can get away; and the first to go when the machine is out of memory (not the daemon).
void guard_process();

/// SIGTERM and SIGINT become requests on `stop`: `first` at the first signal, a cancel at the second,
/// and the third kills; signals that come together count as one. `stop` has to live as long as the process.
void route_signals(StopSignal& stop, StopLevel first);

/// Identity of a process of this machine; pid 0 when it does not exist.
ProcessIdentity identify_process(std::int64_t pid);

/// Stops every descendant, so that none can fork while the others die, sends SIGKILL until none is left or
/// `patience` has passed, and reaps them. Call it when no child of this process is still wanted. False:
/// somebody is left, which means that it waits inside the kernel.
bool kill_descendants(Millis patience);

/// Processes and threads below this process.
int count_descendants();

}  // namespace nightshift::jobs
