#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/projection.h"

namespace nightshift {

/// What a forecast says of one job and one deadline.
enum class Verdict {
    kDone,      ///< in nine futures of ten or more
    kLikely,    ///< in half of them or more
    kUnlikely,  ///< in fewer
    kNo,        ///< in none
    kUnknown,   ///< nobody knows how long it runs, or when its gate opens
};
std::string_view to_string(Verdict verdict);

/// A job that a forecast speaks of: one of the queue, or one that a schedule is going to submit.
struct ContractJob {
    Job job;
    UnixMs arrives_at;                  ///< behind `now`: it does not exist yet
    std::string exclusive_series = {};  ///< see ProjectedJob
};

struct ContractLine {
    JobId job;
    std::optional<UnixMs> start_p50, end_p50, end_p90;  ///< absent where it lies behind the horizon
    double chance = 0;                                  ///< share of the futures in which it was done in time
    Verdict verdict = Verdict::kUnknown;
    std::string basis;  ///< what its run time rests on
};

struct NightContract {
    UnixMs until;
    std::vector<ContractLine> lines;  ///< in the order of the jobs given
    int futures = 0;
    /// Share of the futures in which every job of the queue with a known run time was done.
    double all_chance = 0;
    bool is_cut_short = false;
};

struct ContractOptions {
    int futures = 40;  ///< 1..1000
    std::uint64_t seed = 1;
    std::function<bool()> is_unwanted;  ///< see ProjectionInput
};

/// Projections look this far past the deadline, to say when the late ones would be done.
inline constexpr Millis kContractHorizon = hours(24);

/// Which jobs will be done by `until`: the planner lives through many futures that differ in how long
/// the jobs run (log-normal through the p50 and p90 of their kind), and the lines say how often each
/// was done. `jobs` are the waiting and live ones in the queue's order, then those to come; a live one
/// has its lease in `world.live`. A job that is held or of unknown run time counts as kUnknown; the latter
/// keeps its memory to its end, which is cautious for the others. Pure: same input, same contract.
NightContract night_contract(const Snapshot& world, const std::vector<ContractJob>& jobs, UnixMs now,
                             UnixMs until, const TimeZones& zones, const ContractOptions& options);

}  // namespace nightshift
