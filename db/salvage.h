#pragma once

#include <memory>
#include <string>
#include <vector>

#include "db/queries.h"

namespace nightshift::db {

/// Reads a damaged database as far as its pages can be read: a list leaves out the rows that cannot,
/// instead of failing. `tokens` are the credentials of the data folder's files, since the table of them may
/// be gone. Opens without the log when the log cannot be used. Fails: what Connection::open says when not
/// even the first page can be read.
Result<std::unique_ptr<Queries>> open_salvage(const std::string& path, std::vector<StoredToken> tokens);

}  // namespace nightshift::db
