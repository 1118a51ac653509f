#pragma once

#include <vector>

namespace nightshift::db {

struct Migration {
    const char* name;
    const char* sql;
};

/// Every migration of this build, oldest first; the n-th leads to schema version n. Generated from
/// db/migrations by embed_sql.cmake.
const std::vector<Migration>& migrations();

}  // namespace nightshift::db
