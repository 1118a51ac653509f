#pragma once

#include <string>

#include "db/connection.h"

namespace nightshift::db {

/// Brings the file up to this build's schema, each step in one transaction; before the first step on a
/// file with content, copies it to `path`.before-vN. Fails: conflict "schema_newer", without having
/// written anything.
Status migrate(Connection& connection, const std::string& path);

/// The schema version this build writes.
int schema_version();

}  // namespace nightshift::db
