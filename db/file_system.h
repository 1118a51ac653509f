#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace nightshift::db {

/// True when the folder of `path` is served by another machine (or a bridge like 9P), where a
/// write-ahead log has no shared memory. False when that cannot be told.
bool is_on_network_file_system(const std::string& path);

/// Tells one file from another of the same name.
struct FileIdentity {
    std::uint64_t device = 0, number = 0;
    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};
/// Nothing when there is no such file.
std::optional<FileIdentity> identity_of(const std::string& path);

}  // namespace nightshift::db
