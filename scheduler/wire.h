#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "scheduler/attempt.h"
#include "scheduler/job.h"
#include "scheduler/result.h"

/// Messages between daemon and worker: one JSON object a line over the control socket, UTF-8, at
/// most kWireLineBytesMax to the daemon. The worker connects, says hello with the attempt's token and gets
/// either `start` (fresh) or `welcome` (the daemon was restarted; the worker goes on). Unknown message
/// types are ignored, an unknown protocol ends the attempt, a bad line closes the connection.
/// Data never travels here, only paths.
namespace nightshift::wire {

inline constexpr int kProtocol = 1;
inline constexpr std::size_t kWireLineBytesMax = 64 * 1024;
/// Lines to the worker may be longer: `start` carries a submit's params, argv and environment (at most a
/// 1 MiB body, up to six times that when every character has to be escaped).
inline constexpr std::size_t kWireStartBytesMax = 8 * 1024 * 1024;
/// Longer texts are cut by encode(), so that a line from a worker always fits.
inline constexpr std::size_t kWireTextBytesMax = 4096;   ///< messages for people
inline constexpr std::size_t kWireKeyBytesMax = 200;     ///< phases, metric names, codes
inline constexpr std::size_t kWireMetricsMax = 16;
inline constexpr std::size_t kResultFileBytesMax = 64 * 1024 * 1024;

// --- worker -> daemon -----------------------------------------------------------------------
struct Hello {
    int protocol = kProtocol;
    AttemptId attempt;
    std::string token;
    ProcessIdentity worker;
    bool is_started = false;                     ///< start was received in an earlier connection
    std::optional<ProcessIdentity> command;
    std::string build;
};
struct Started {                                  ///< the job's own work has begun
    std::optional<ProcessIdentity> command;      ///< kind command: leader of its own process group
    EnforcementGrade grade = EnforcementGrade::kNone;
    Millis ran;                                  ///< so far, by the worker's steady clock
};
struct ProgressReport { Progress progress; };
struct MemoryReport {                             ///< claimed memory: simulated devices and host
    Bytes used, peak;
};
struct CheckpointCommitted { Checkpoint checkpoint; };
struct CheckpointRefused {                        ///< damaged: not to be gone on from again
    std::string path;                            ///< as in Checkpoint
    std::string reason;
};
struct Done {                                     ///< result.json is on disk already
    std::optional<int> exit_code;
    std::optional<int> signal;
    std::string error_code;
    std::string message;
    bool cached = false;
    Millis ran;                                  ///< by the worker's steady clock; 0 = it did not say
};
struct Pong { std::int64_t n = 0; };

// --- daemon -> worker -----------------------------------------------------------------------
/// A parent's attempt folder, for `job:ID` references in params.
struct Input {
    JobId job;
    std::string folder;
};
struct Start {
    AttemptId attempt;
    std::string kind;
    std::string params_json;
    std::vector<std::string> command;
    std::string cwd;
    std::vector<std::pair<std::string, std::string>> env;
    CheckpointMode checkpoint = CheckpointMode::kNone;
    std::string folder;                           ///< absolute: jobs/<id>/<attempt>
    std::string resume_folder;                    ///< absolute: last committed checkpoint; empty = none
    std::string cache_folder;                     ///< absolute: checkpoints/cache
    std::vector<Input> inputs;
    Bytes vram;
    std::string device;                           ///< GPU UUID; empty = CPU
    bool is_simulated = false;
    int threads = 0;                              ///< CPU slots; 0 = all
    Bytes log_max;                                ///< of what a command prints; 0 = no limit
    int processes_max = 0;                        ///< of a command at the same time; 0 = no limit
};
struct Welcome {};
struct YieldRequest { Millis grace; std::string reason; };
struct CancelRequest { Millis grace; std::string reason; };
struct Ping { std::int64_t n = 0; };
struct Refuse { std::string reason; };            ///< stale token: the worker stops at once
struct Bye {};                                    ///< Done was stored; the worker may exit

using FromWorker =
    std::variant<Hello, Started, ProgressReport, MemoryReport, CheckpointCommitted, CheckpointRefused,
                 Done, Pong>;
using FromDaemon = std::variant<Start, Welcome, YieldRequest, CancelRequest, Ping, Refuse, Bye>;

/// One line without its newline. Never fails; strings that are not UTF-8 are repaired.
std::string encode(const FromWorker& message);
std::string encode(const FromDaemon& message);
/// Nothing for an unknown type (ignore it). Fails: corrupt, with what was wrong.
Result<std::optional<FromWorker>> decode_from_worker(std::string_view line);
Result<std::optional<FromDaemon>> decode_from_daemon(std::string_view line);

/// The worker's last word, left as result.json (temp, fsync, rename) in the attempt folder before it
/// says Done; recovery reads it when nobody was there to hear.
struct Artifact {
    std::string name;      ///< relative path with slashes, below output/
    std::string type;      ///< "dataset", "table", "model", "report", "file"
    Bytes bytes;
    std::string sha256;    ///< of a file; of the sorted listing for a folder
};
struct ResultFile {
    AttemptId attempt;
    Done done;
    std::optional<Checkpoint> checkpoint;         ///< last committed one
    std::vector<Artifact> artifacts;
    Bytes peak_vram;
    UnixMs started_at, ended_at;
};
std::string encode(const ResultFile& result);
Result<ResultFile> decode_result_file(std::string_view text);

}  // namespace nightshift::wire
