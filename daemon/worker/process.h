#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/attempt.h"
#include "scheduler/result.h"
#include "scheduler/units.h"

namespace boost::asio {
class io_context;
}

namespace nightshift::daemon {

struct SpawnRequest {
    std::string program;
    std::vector<std::string> arguments;                            ///< without the program's name
    std::vector<std::pair<std::string, std::string>> environment;  ///< added to the daemon's own
    std::string folder;                                            ///< current folder of the child
    std::string log_path;                                          ///< stdout and stderr are appended here
    std::int64_t descriptors_max = 0;                              ///< its limit of open files; 0 = ours
};

/// Both empty when somebody else is the parent (an adopted process).
struct ExitStatus {
    std::optional<int> exit_code;
    std::optional<int> signal;
};

/// A worker process: started by this daemon, or by the one before it. Destroying the object lets the
/// process run on. Thread: the loop.
class Process {
  public:
    /// Starts the program as leader of a session and process group of its own, with no descriptor of ours
    /// but 0, 1 and 2. Fails: unavailable "spawn_error".
    static Result<std::unique_ptr<Process>> spawn(boost::asio::io_context& loop, const SpawnRequest& request);
    /// Watches a process that runs already. Fails: not_found when it is gone.
    static Result<std::unique_ptr<Process>> adopt(boost::asio::io_context& loop,
                                                  const ProcessIdentity& identity);
    virtual ~Process() = default;

    virtual const ProcessIdentity& identity() const = 0;
    /// Calls `done` once, on the loop, when the process has ended.
    virtual void on_exit(std::function<void(ExitStatus)> done) = 0;
};

/// Runs a program to its end and gives its standard output; at most `bytes_max`, at most `limit`. Blocks.
/// Fails: unavailable with what went wrong.
Result<std::string> run_and_read(const std::string& program, const std::vector<std::string>& arguments,
                                 std::size_t bytes_max, Millis limit);

}  // namespace nightshift::daemon
