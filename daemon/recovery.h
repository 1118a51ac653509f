#pragma once

#include "daemon/loop.h"
#include "daemon/worker/crew.h"

namespace nightshift::daemon {

struct RecoveryCounts {
    int adopted = 0;  ///< alive, watched from now on
    int ended = 0;    ///< left a result.json
    int lost = 0;     ///< proven gone without a result
    int never_started = 0;
};

/// Finds out what became of every attempt that was live when the last daemon ended, however it ended,
/// and of every lease that was not released. One transaction; may be repeated after another crash at
/// any point. Before the first tick.
Result<RecoveryCounts> recover(Loop& loop, Crew& crew, UnixMs now);

}  // namespace nightshift::daemon
