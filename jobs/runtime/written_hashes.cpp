#include "jobs/runtime/written_hashes.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>

#include "jobs/runtime/sha256.h"

namespace nightshift::jobs {
namespace {

namespace fs = std::filesystem;

/// What changes when a file is written again.
struct Version {
    std::uintmax_t bytes = 0;
    fs::file_time_type written_at;

    bool operator==(const Version&) const = default;
};

struct Known {
    Version version;
    std::string sha256;
};

struct Hashes {
    std::mutex mutex;
    std::map<fs::path, Known> of;  ///< absolute paths
};

Hashes& hashes() {
    static Hashes all;
    return all;
}

std::optional<Version> version_of(const fs::path& file) {
    std::error_code error;
    Version found;
    found.bytes = fs::file_size(file, error);
    if (error) return std::nullopt;
    found.written_at = fs::last_write_time(file, error);
    if (error) return std::nullopt;
    return found;
}

fs::path key_of(const fs::path& file) {
    return fs::absolute(file).lexically_normal();
}

}  // namespace

void remember_hash(const fs::path& file, const std::string& sha256) {
    const auto version = version_of(file);
    if (!version) return;
    const std::lock_guard lock(hashes().mutex);
    hashes().of[key_of(file)] = {*version, sha256};
}

std::string written_hash_of_file(const fs::path& file) {
    if (const auto version = version_of(file)) {
        const std::lock_guard lock(hashes().mutex);
        const auto known = hashes().of.find(key_of(file));
        if (known != hashes().of.end() && known->second.version == *version) return known->second.sha256;
    }
    return sha256_of_file(file);
}

}  // namespace nightshift::jobs
