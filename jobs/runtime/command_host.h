#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "jobs/runtime/stop_signal.h"
#include "scheduler/attempt.h"

namespace nightshift::jobs {

/// A user's own program: argv, never a shell line.
struct CommandLine {
    std::vector<std::string> argv;
    std::string cwd;                                        ///< empty = the output folder
    std::vector<std::pair<std::string, std::string>> env;   ///< added to the worker's
    CheckpointMode checkpoint = CheckpointMode::kNone;
    Bytes log_max;          ///< of what it prints; 0 = it writes to the worker's stdout itself
    int processes_max = 0;  ///< of its whole family at the same time; 0 = no limit
};

/// The runtime as kind `command` sees it. The job's thread only.
class CommandHost {
  public:
    virtual ~CommandHost() = default;
    virtual const CommandLine& command_line() const = 0;
    /// The variables of "What a job's process sees"; they win over the user's own.
    virtual std::vector<std::pair<std::string, std::string>> contract_env() const = 0;
    virtual StopSignal& stop() = 0;
    /// Says that the program runs, so that the daemon can kill its group when the worker is gone.
    virtual void command_started(const ProcessIdentity& command) = 0;
    /// Passes on how the program ended; exactly once, before run() returns.
    virtual void command_ended(std::optional<int> exit_code, std::optional<int> signal) = 0;
    /// File that the program appends its progress lines to.
    virtual std::filesystem::path progress_file() const = 0;
    /// Folder that the program saves into; holds the files of the checkpoint to resume from.
    virtual std::filesystem::path save_folder() const = 0;
    /// Commits what lies in save_folder() as a checkpoint; false when nothing does.
    virtual bool commit_saved() = 0;
};

}  // namespace nightshift::jobs
