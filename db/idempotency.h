#pragma once

#include <optional>
#include <string>

#include "db/connection.h"
#include "db/queries.h"

namespace nightshift::db {

/// What was made under a key; nothing when the key is new.
Result<std::optional<IdempotentAnswer>> find_idempotent(Connection& connection, const std::string& scope,
                                                        const std::string& key);

Status insert_idempotent(Connection& connection, const std::string& scope, const std::string& key,
                         const IdempotentAnswer& answer, UnixMs expires);

}  // namespace nightshift::db
