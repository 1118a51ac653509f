#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "scheduler/ids.h"
#include "scheduler/job.h"
#include "scheduler/units.h"

namespace nightshift {

/// Names one process for good: a pid alone is used again. boot_id is empty where the system has none.
struct ProcessIdentity {
    std::string boot_id;
    std::int64_t pid = 0;
    std::int64_t start_ticks = 0;
    friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};

enum class AttemptEnd {
    kOk,
    kFailed,     ///< exit code other than 0, 75, 85
    kTryAgain,   ///< exit code 75
    kPreempted,  ///< yielded: committed checkpoint and exit code 85, or restart allowed
    kCancelled,
    kTimeLimit,
    kLost,  ///< proven gone without a result
    kOverBudget,
    kSpawnError,
};
std::string_view to_string(AttemptEnd end);
std::optional<AttemptEnd> parse_attempt_end(std::string_view text);

/// How firmly a memory budget is held, shown beside every limit.
enum class EnforcementGrade { kKernel, kDriver, kInterposed, kAllocator, kWatchdog, kNone };
std::string_view to_string(EnforcementGrade grade);
std::optional<EnforcementGrade> parse_enforcement_grade(std::string_view text);

/// VRAM held for an attempt on one device. Kept until the release has been *observed*.
struct Lease {
    AttemptId attempt;
    std::string device;  ///< GPU UUID, or "host"
    Bytes budget;        ///< declared
    Bytes used;          ///< last sample over the whole process tree
    Bytes peak;
    bool is_reclaiming = false;  ///< process gone, bytes not yet seen free
    EnforcementGrade grade = EnforcementGrade::kNone;
    Bytes held() const { return used > budget ? used : budget; }
};

struct Attempt {
    AttemptId id;
    std::string token;  ///< 256 random bits, hex; fences stale workers
    std::optional<ProcessIdentity> worker;
    std::optional<ProcessIdentity> command;  ///< the user's program, leader of its own process group
    std::string device;
    UnixMs granted_at;
    std::optional<UnixMs> running_at;
    std::optional<UnixMs> ended_at;
    std::optional<AttemptEnd> end;
    std::optional<int> exit_code;
    std::optional<int> signal;
    // Only while yielding or stopping:
    std::optional<UnixMs> deadline;  ///< when patience ends and the next rung is climbed
    JobId beneficiary;               ///< for whom it yields
    std::string stop_reason;         ///< "cancelled", "time_limit", "preempted", "window", "down"
};

struct Checkpoint {
    JobId job;
    int attempt = 0;
    std::string path;  ///< folder, relative to the data folder
    std::int64_t step = 0;
    Bytes bytes;
    std::string sha256;  ///< of the manifest that lists every file with its hash
    UnixMs committed_at;
};

}  // namespace nightshift
