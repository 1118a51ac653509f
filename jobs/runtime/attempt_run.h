#pragma once

#include <string>
#include <vector>

namespace nightshift::jobs {

/// Exit codes of the worker itself, apart from those of a job.
inline constexpr int kExitUsage = 64;
inline constexpr int kExitNoDaemon = 69;
inline constexpr int kExitRefused = 76;

/// `nightshift-worker attempt`: connects to the daemon named by NIGHTSHIFT_CONTROL, runs the attempt it is
/// sent and leaves result.json before it says so. Returns the exit code of the process.
int run_attempt();

struct StandaloneOptions {
    std::string kind;
    std::string params = "{}";  ///< JSON, or @FILE
    std::string out;
    std::string device = "auto";
    std::string resume;                ///< a checkpoint, or the --out of an earlier run
    int threads = 0;                   ///< 0 = all
    std::vector<std::string> command;  ///< kind command: argv after "--"
    std::string vram;                  ///< budget, "3GiB"
};

/// `nightshift-worker run`: the same code without a daemon. Returns the exit code of the process.
int run_standalone(const StandaloneOptions& options);

/// `nightshift-worker kinds`: a table for people, or with `is_json` the rows the daemon reads.
std::string list_kinds(bool is_json);

}  // namespace nightshift::jobs
