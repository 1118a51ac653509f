#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scheduler/snapshot.h"

namespace nightshift {

/// The numbers of a VRAM gate. available = max(0, capacity - safety - foreign - held - headroom).
struct VramTerms {
    std::string device;
    Bytes needed, capacity, safety, foreign, held, headroom, available;
    std::vector<std::pair<JobId, Bytes>> held_by;
    std::string headroom_window;
};

/// One closed gate of a waiting job. Codes: scheduler.md 5.6.
struct Gate {
    std::string code;
    std::string text;                ///< one sentence in English with the numbers
    std::optional<UnixMs> opens_at;  ///< when known
    std::optional<VramTerms> vram;
    std::vector<JobId> jobs;  ///< blockers: the jobs behind order, dependency, idle gates
    std::string window;
    std::int64_t limit = 0, value = 0;  ///< for cpu, ram, counts
    std::string group;  ///< of group_limit: "class training", "user=kim"; empty = all running jobs
};

struct Eta {
    std::optional<UnixMs> p50, p90;
    std::string basis;  ///< what the guess rests on, or why there is none
};

struct Counterfactual {
    std::string action;  ///< e.g. "job 790 yields", "budget <= 13.1 GiB"
    std::string effect;
    std::string cost;
    std::string verb;  ///< machine form: "preempt", "set_vram", "release", "resume_queue", "cancel"
    JobId subject;
    std::optional<Bytes> vram;
};

/// Another job that fares differently because of this one.
struct Move {
    JobId job;
    std::string effect;  ///< "yields" or "waits"
    std::string text;    ///< one sentence
};

struct Explanation {
    JobId job;
    bool is_head_of_class = false;
    std::vector<Gate> gates;  ///< all closed ones, most important first; empty = starts now
    Eta eta;
    std::vector<Counterfactual> would_start_if;  ///< each checked by planning again
    std::vector<Move> would_move;                ///< who yields or waits on account of it
};

struct Start {
    JobId job;
    std::string device;
    Bytes budget;
};

struct Yield {
    JobId job;
    JobId beneficiary;   ///< 0 for a window edge, or when it holds too much
    std::string reason;  ///< "preempted", "window", "over_budget"
    UnixMs deadline;
};

struct Plan {
    std::int64_t plan_seq = 0;
    std::vector<Start> starts;
    std::vector<Yield> yields;
    std::vector<JobId> expired;         ///< start deadline passed
    std::vector<Explanation> waiting;   ///< one for each candidate that does not start
    std::optional<UnixMs> next_wakeup;  ///< when the plan could change without any event
};

/// Whether the gates of a plan get their sentences, which cost more than the decisions themselves.
enum class Words { kWritten, kNone };

/// Decides. Pure: same snapshot, same now, same plan, and the same decisions without words. Never starts
/// more than the ledger holds.
Plan plan(const Snapshot& snapshot, const TimeZones& zones, UnixMs now, Words words = Words::kWritten);

/// Why `job` (waiting, stored or hypothetical) does not run, from the same code path as plan().
/// With `with_counterfactuals`, tries the changes that could start it and keeps those that do, and tells
/// who yields or waits on account of it.
Explanation explain(const Snapshot& snapshot, const Job& job, const TimeZones& zones, UnixMs now,
                    bool with_counterfactuals);

}  // namespace nightshift
