#pragma once

#include "scheduler/units.h"

namespace nightshift::jobs {

/// What the machine's owner takes for the time; may be set while a job runs.
UnixMs wall_now();

/// Since some moment before this process; nobody sets it. For what takes time.
Millis steady_now();

}  // namespace nightshift::jobs
