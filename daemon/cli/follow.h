#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "scheduler/units.h"

namespace nightshift::cli {

class Client;

struct LogRequest {
    std::int64_t job = 0;
    std::optional<int> tail;     ///< lines from the end; nothing = from the start
    std::optional<int> attempt;  ///< nothing = all attempts in order
    bool follow = true;          ///< until the job is over
};

/// Copies a job's log to stdout: raw bytes into a pipe or file, made harmless on a terminal. A daemon
/// that restarts meanwhile is waited for, and the log goes on where it was.
void follow_log(Client& client, const LogRequest& request);

/// Blocks until the job is over and returns it. Throws Failure with kExitTimeout. A daemon that
/// restarts meanwhile is waited for a minute.
nlohmann::json wait_until_over(Client& client, std::int64_t job, std::optional<Millis> timeout);

/// As above for "started": the job left `waiting` at least once.
nlohmann::json wait_until_started(Client& client, std::int64_t job, std::optional<Millis> timeout);

}  // namespace nightshift::cli
