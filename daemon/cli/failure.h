#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace nightshift::cli {

/// Exit codes of every verb. `wait` uses all of them; scripts rely on the numbers.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  ///< a job did not succeed, or an operation failed
inline constexpr int kExitUsage = 2;   ///< the command line itself is wrong
inline constexpr int kExitNotFound = 3;
inline constexpr int kExitRefused = 4;      ///< the daemon said no: state, rights, invalid request
inline constexpr int kExitUnreachable = 5;  ///< no daemon answers
inline constexpr int kExitTimeout = 124;

/// The end of a command. A command line stops at its first failure, so failures are thrown and main()
/// prints them: `what()` in one line, then `hint` when there is one.
struct Failure : std::runtime_error {
    Failure(int code, const std::string& message, std::string advice = {})
        : std::runtime_error(message), exit_code(code), hint(std::move(advice)) {}
    int exit_code;
    std::string hint;
};

}  // namespace nightshift::cli
