#pragma once

#include <string>
#include <vector>

#include "db/connection.h"
#include "db/queries.h"

namespace nightshift::db {

/// Every invariant of the stored data, in order of its code, whether it holds or not. Reads only; takes
/// seconds with a million jobs, so the daemon runs it beside its loop. Fails: corrupt "database_damaged".
Result<std::vector<CheckResult>> run_checks(Connection& connection);

/// The same on a read-only connection of its own, and before it SQLite's check of every page ("file").
Result<std::vector<CheckResult>> check_database(const std::string& path);

}  // namespace nightshift::db
