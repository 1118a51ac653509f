#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nightshift::jobs {

struct SpawnRequest {
    std::vector<std::string> argv;  ///< never empty
    std::string cwd;
    std::vector<std::pair<std::string, std::string>> env;  ///< the whole environment
    int output_fd = -1;                                    ///< its stdout and stderr; -1 = the caller's
};

/// The worker's environment without its own NIGHTSHIFT_* variables, then `user`, then `contract`; the
/// later one wins.
std::vector<std::pair<std::string, std::string>> merge_env(
    const std::vector<std::pair<std::string, std::string>>& user,
    const std::vector<std::pair<std::string, std::string>>& contract);

/// Starts a program as the leader of a new process group, without a shell: stdin from /dev/null, stdout
/// and stderr as asked for, no other descriptor, default signals, killed when the calling thread dies.
/// Returns its pid. Throws JobError("no_such_program", "not_executable", "no_such_folder",
/// "spawn_failed") naming what was not found.
std::int64_t spawn_group(const SpawnRequest& request);

}  // namespace nightshift::jobs
