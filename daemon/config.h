#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "daemon/simulate_spec.h"
#include "scheduler/result.h"

namespace nightshift::daemon {

inline constexpr int kExitOk = 0;
inline constexpr int kExitUsage = 64;        ///< bad arguments or policy
inline constexpr int kExitUnavailable = 69;  ///< address or data folder in use
inline constexpr int kExitConfig = 78;       ///< refuses the data folder

/// What the daemon was asked to be. Paths are absolute: the daemon changes its current folder.
struct Config {
    std::string data_folder;
    std::string address = "127.0.0.1";
    std::uint16_t port = 7390;
    std::string socket_path;  ///< empty = none
    std::string policy_file;  ///< empty = the stored policy
    std::optional<SimulateSpec> simulate;
    std::string log_level = "info";
    std::string web_root;  ///< empty = the built-in pages
    std::string worker_path;
    std::string command_path;  ///< what runs kind `command`: nightshift-command where there is one
    std::string restore_file;  ///< set: put this backup in place, then end
};

struct ParsedConfig {
    Config config;
    std::optional<int> exit_code;  ///< set: print `text` and end
    std::string text;
};

/// Defaults, then NIGHTSHIFT_* of the environment, then arguments.
ParsedConfig parse_config(int argc, const char* const* argv);

/// The exit code that tells a service manager what to do about a failed start.
int exit_code_of(const Error& error);

}  // namespace nightshift::daemon
