#pragma once

#include <functional>
#include <string>
#include <vector>

#include "db/store.h"

namespace nightshift::tests {

/// One transaction of a session.
struct SessionStep {
    std::string name;
    std::function<Status(db::Store&)> change;
    bool moves_wal_after = false;
};

/// A night of a daemon as its database sees it: submits, grants, checkpoints, ends, preemptions, schedules,
/// edits, retention; each round with jobs of its own. The same steps with the same content every time.
std::vector<SessionStep> scripted_session(int rounds);

/// Content of every table of a database, by table: what must be equal before and after a crash.
/// Reads through a connection of its own, which leaves no trace.
std::string fingerprint(const std::string& path);

}  // namespace nightshift::tests
