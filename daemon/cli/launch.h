#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nightshift::cli {

/// Folder of the running program; the daemon and the worker lie beside it.
std::string program_folder();

/// Path of nightshiftd: $NIGHTSHIFT_DAEMON_PROGRAM, else beside this program.
std::string daemon_program();

/// Environment of a launched daemon: this program's own, with `added` ("NAME=VALUE") in front of it;
/// `keeps_settings` false leaves out every NIGHTSHIFT_ variable that would configure it, save the programs.
struct LaunchEnvironment {
    std::vector<std::string> added;
    bool keeps_settings = true;
};

/// Starts a program that outlives this one: a session of its own, no standard input, its output
/// appended to `log_path` (0600), no other open files. Returns its pid. Throws Failure.
std::int64_t launch_detached(const std::vector<std::string>& argv, const std::string& log_path,
                             const LaunchEnvironment& environment = {});

/// Exit code of a launched program that has ended (128 + signal when killed); nothing while it runs.
std::optional<int> exit_code_of(std::int64_t pid);

/// Whether the process with this identity still exists; a reused pid is another process.
bool is_running(std::int64_t pid, std::int64_t start_ticks);

/// Asks a process to stop (SIGTERM). False when it no longer exists or is not ours.
bool ask_to_stop(std::int64_t pid);

/// Runs a program and returns what it printed, at most 1 MiB; nothing when it could not run or failed.
std::optional<std::string> output_of(const std::vector<std::string>& argv);

/// Runs nightshiftd, or $NIGHTSHIFT_DAEMON_PROGRAM, with these arguments on this terminal; its exit code.
int run_daemon_program(std::vector<std::string> arguments);

/// The last lines of a text file; empty when there is none.
std::string tail_of(const std::string& path, int lines_max);

/// Opens a file in the user's browser. False when there is no desktop or no opener.
bool open_in_browser(const std::string& path);

/// Writes a file that only its owner can read, in one call. Throws Failure.
void write_private_file(const std::string& path, const std::string& content);

/// What the doctor asks of the file system.
struct FolderFacts {
    bool exists = false;
    bool is_private = false;  ///< no rights for group and others
    bool is_ours = false;     ///< owned by this user
    bool is_writable = false;
    bool is_network = false;  ///< NFS, CIFS and the like: SQLite's locks are not safe there
    std::int64_t bytes_free = 0;
};
FolderFacts facts_of(const std::string& folder);

/// Whether a shared library can be loaded, for example libnvidia-ml.so.1.
bool can_load(const std::string& library, std::string& reason);

void sleep_ms(int milliseconds);

}  // namespace nightshift::cli
