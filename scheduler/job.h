#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scheduler/ids.h"
#include "scheduler/result.h"
#include "scheduler/units.h"

namespace nightshift {

enum class JobClass { kInference, kTraining, kEvaluation, kSynthesis };
inline constexpr std::array kJobClasses{JobClass::kInference, JobClass::kTraining, JobClass::kEvaluation,
                                        JobClass::kSynthesis};
std::string_view to_string(JobClass job_class);
std::optional<JobClass> parse_job_class(std::string_view text);

/// inference 0, training and evaluation 1, synthesis 2; the smaller rank goes first.
int rank_of(JobClass job_class);

/// What exists in the world. Why a waiting job waits is computed, never stored as a state.
enum class JobState {
    kWaiting,   ///< no process
    kStarting,  ///< attempt committed, process not confirmed
    kRunning,   ///< process confirmed
    kYielding,  ///< asked to save and leave, still alive
    kParked,    ///< alive, memory given back
    kStopping,  ///< being killed
    kSucceeded,
    kFailed,
    kCancelled,
    kSkipped,  ///< a dependency can never hold
    kExpired,  ///< its start deadline passed
};
std::string_view to_string(JobState state);
std::optional<JobState> parse_job_state(std::string_view text);
bool is_terminal(JobState state);
/// Owns an attempt: starting, running, yielding, parked, stopping.
bool is_live(JobState state);
/// True for the pairs of scheduler.md 5.1's table; the store refuses every other change.
bool may_change(JobState from, JobState to);

enum class CheckpointMode { kWorker, kSignal, kNone };
std::string_view to_string(CheckpointMode mode);
std::optional<CheckpointMode> parse_checkpoint_mode(std::string_view text);

enum class DependencyKind { kSuccess, kAny, kFailure };
std::string_view to_string(DependencyKind kind);
std::optional<DependencyKind> parse_dependency_kind(std::string_view text);

/// What becomes of a running job when its window closes.
enum class WindowEnd {
    kYield,   ///< saves and leaves one grace time before the edge
    kFinish,  ///< may run on when it will be done within the class's slack after the edge
    kKill,    ///< runs to the edge and is killed there; it waits for the next opening
};
std::string_view to_string(WindowEnd end);
std::optional<WindowEnd> parse_window_end(std::string_view text);

struct Dependency {
    JobId on;
    DependencyKind kind = DependencyKind::kSuccess;
};

/// Everything a submit says, after validation and defaults. Immutable but by PATCH while waiting.
struct JobSpec {
    std::string name;
    std::string kind;
    JobClass job_class = JobClass::kTraining;
    std::string params_json = "{}";    ///< opaque here; checked against the kind's schema by api
    std::vector<std::string> command;  ///< argv, only for kind "command"
    std::string cwd;
    std::vector<std::pair<std::string, std::string>> env;
    std::string gpu;  ///< UUID of the wanted GPU; empty = any allowed
    Bytes vram;
    Bytes ram;
    int cpu = 1;
    int priority = 0;    ///< -100..100, higher first within the class
    std::string window;  ///< name of a policy window; empty = the class's
    std::optional<UnixMs> not_before;
    std::optional<UnixMs> start_deadline;
    std::optional<Millis> time_limit;  ///< run time summed over the attempts
    std::vector<Dependency> after;
    int retries = 0;
    bool preemptible = true;
    CheckpointMode checkpoint = CheckpointMode::kNone;
    bool hold = false;
    std::vector<std::pair<std::string, std::string>> labels;
    std::optional<Millis> estimate;          ///< run time the kind predicts from its params
    std::optional<WindowEnd> at_window_end;  ///< empty = the class's
    /// Names the runs that this one can be compared with: its kind and the parameters that matter for
    /// its size. Empty = none.
    std::string group;
};

/// Limits of a submit; the API names them in its refusals.
inline constexpr std::size_t kNameBytesMax = 200;
inline constexpr int kPriorityMax = 100;
inline constexpr int kRetriesMax = 100;

struct Outcome {
    std::string code;     ///< "ok", "exit_code", "signal", "time_limit", "lost", "over_budget", ...
    std::string message;  ///< one sentence for a person
    std::optional<int> exit_code;
    std::optional<int> signal;
    bool cached = false;
};

/// Latest report of a running attempt; kept in memory and in progress.jsonl, the database gets it
/// at most once a second.
struct Progress {
    std::string phase;
    std::int64_t step = 0;
    std::int64_t steps = 0;
    std::optional<Millis> eta;
    std::vector<std::pair<std::string, double>> metrics;  ///< at most 16
};

/// One row of the job table, with its spec.
struct Job {
    JobId id;
    JobSpec spec;
    JobState state = JobState::kWaiting;
    bool held = false;
    std::int64_t order_key = 0;  ///< place in the class; submit order unless moved
    int version = 1;             ///< rises with every change; the ETag
    UnixMs created_at;
    std::optional<UnixMs> started_at;  ///< first start
    std::optional<UnixMs> ended_at;
    std::optional<UnixMs> eligible_since;  ///< all gates but VRAM and order open since
    Millis eligible_time;                  ///< of earlier stretches; grows when one ends, never shrinks
    std::optional<UnixMs> retry_at;        ///< back-off after a failed attempt
    int attempt = 0;                       ///< number of the current or last attempt
    int preemptions = 0;
    int retries_left = 0;
    Millis run_time;            ///< of finished attempts
    int dependencies_open = 0;  ///< unmet dependencies
    bool dependency_impossible = false;
    std::optional<Outcome> outcome;
    std::optional<Progress> progress;
    std::string schedule;  ///< name of the schedule that made it; may be empty
    JobId rerun_of;
    Bytes peak_vram;
    bool has_checkpoint = false;  ///< a committed checkpoint exists
    bool hidden = false;
};

}  // namespace nightshift
