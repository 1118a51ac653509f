#pragma once

#include <string>

namespace nightshift::db {

/// True when the folder of `path` is served by another machine (or a bridge like 9P), where a
/// write-ahead log has no shared memory. False when that cannot be told.
bool is_on_network_file_system(const std::string& path);

}  // namespace nightshift::db
