#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/attempt.h"
#include "scheduler/calendar.h"
#include "scheduler/gpu.h"
#include "scheduler/job.h"
#include "scheduler/policy.h"

namespace nightshift {

/// How many waiting jobs of a class a planning pass looks at. The rest stays on disk.
inline constexpr int kCandidatesPerClass = 64;

/// A device as the ledger sees it in one pass.
struct DeviceState {
    Device device;
    Bytes foreign;  ///< memory of programs that are not ours, already filtered
    std::vector<std::pair<std::string, Bytes>> foreign_programs;  ///< largest first, at most 8
    std::optional<DeviceSample> sample;
};

struct LiveJob {
    Job job;
    Attempt attempt;
    Lease lease;
    std::optional<UnixMs> last_checkpoint_at;
    std::vector<UnixMs> preempted_at;  ///< within the last 24 h
    std::optional<UnixMs> predicted_end;
};

/// Statistics of earlier runs: of a kind (group empty), or of one group of it.
struct KindStats {
    std::string kind;
    int runs = 0;
    Millis run_time_p50;
    Millis run_time_p90;
    Bytes peak_vram_max;
    std::string group = {};
    Bytes budget_max = {};  ///< largest budget that any of them had
};

/// All that a decision depends on: plain data, copyable, comparable by value in tests.
struct Snapshot {
    Policy policy;
    std::vector<DeviceState> devices;
    std::vector<LiveJob> live;
    /// By JobClass: the first kCandidatesPerClass waiting jobs in planning order whose dependencies
    /// are met, that are not held, and whose not_before and retry_at have passed.
    std::array<std::vector<Job>, kJobClasses.size()> candidates;
    std::array<std::int64_t, kJobClasses.size()> waiting_count{};
    /// Released leases whose bytes the driver still shows.
    std::vector<Lease> reclaiming;
    std::vector<KindStats> stats;
    bool is_paused = false;
    std::string pause_reason;
    std::optional<UnixMs> pause_until;
    bool is_draining = false;
    std::optional<UnixMs> last_preemption_at;
    /// Windows that are closed now: when a class has too many jobs, theirs are left out first.
    std::vector<std::string> closed_windows;
    /// By JobClass: time that ended attempts held a device within the last 24 h, by full hours.
    std::array<Millis, kJobClasses.size()> gpu_time{};
    Bytes ram_total;
    int cpu_total = 1;
    std::optional<UnixMs> next_timer_hint;  ///< smallest not_before, retry_at, start_deadline on disk
    std::int64_t plan_seq = 0;
};

}  // namespace nightshift
