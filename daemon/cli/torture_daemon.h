#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/cli/client.h"
#include "scheduler/units.h"

namespace nightshift::cli {

/// A nightshiftd with simulated memory that lives to be killed, in a data folder of its own. Nothing of it
/// outlives the object: neither the process nor its workers. Thread: one.
class TorturedDaemon {
  public:
    /// `folder` is made when it is missing; the log of all its lives lies beside it.
    TorturedDaemon(std::string folder, std::string log_path);
    ~TorturedDaemon();
    TorturedDaemon(const TorturedDaemon&) = delete;
    TorturedDaemon& operator=(const TorturedDaemon&) = delete;

    /// Variables of every start from now on, as "NAME=VALUE".
    void set_environment(std::vector<std::string> environment) { environment_ = std::move(environment); }

    /// Starts it and does not wait; `extra` holds for this start only. Throws Failure.
    void spawn(const std::vector<std::string>& extra = {});

    /// Waits until it answers. The time since spawn(), or nothing when it ended first or `limit` passed.
    std::optional<Millis> wait_ready(Millis limit = seconds(30));

    void end_at_once();                    ///< -9; nothing when it does not run
    int stop(Millis limit = seconds(30));  ///< SIGTERM; its exit code, or 137 when it had to be killed
    bool is_running();
    std::optional<int> exit_code();  ///< of a daemon that has ended

    std::int64_t pid() const { return pid_; }
    const std::string& folder() const { return folder_; }
    /// A connection of its own to the daemon that runs now.
    Client client() const;
    /// The last lines it wrote in any of its lives.
    std::string last_words() const;

  private:
    std::string folder_, log_path_;
    std::vector<std::string> environment_;
    std::int64_t pid_ = 0;
    std::int64_t spawned_at_ms_ = 0;
    std::optional<int> exit_code_;
};

/// Milliseconds of a clock that only goes forward.
std::int64_t steady_ms();

}  // namespace nightshift::cli
