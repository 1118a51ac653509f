#include "scheduler/floor.h"

#include <algorithm>
#include <tuple>

#include "scheduler/defect.h"
#include "scheduler/order.h"

namespace nightshift {
namespace {

constexpr int kLiftedRank = 2;  // the class below training; those above could only pass into inference
constexpr Millis kDay = hours(24);

UnixMs step_at(UnixMs now) {
    return UnixMs{now.value / kFloorStep.value * kFloorStep.value};
}

Millis wait_needed(const Policy& policy) {
    return Millis{kDay.value / 100 * policy.floor_percent};
}

/// Device time of a class in the last 24 h, live attempts included.
Millis time_of(const Snapshot& snapshot, JobClass job_class, UnixMs now) {
    Millis sum = snapshot.gpu_time[static_cast<std::size_t>(job_class)];
    for (const LiveJob& live : snapshot.live) {
        if (live.job.spec.job_class != job_class || live.lease.budget.value <= 0) continue;
        const Millis held = step_at(now) - live.attempt.granted_at;
        sum = sum + std::clamp(held, Millis{}, kDay);
    }
    return sum;
}

bool is_below_floor(const Snapshot& snapshot, JobClass job_class, UnixMs now) {
    Millis total;
    for (const JobClass each : kJobClasses) total = total + time_of(snapshot, each, now);
    const Millis own = time_of(snapshot, job_class, now);
    return own.value * 100 < total.value * snapshot.policy.floor_percent;
}

}  // namespace

Millis eligible_wait(const Job& job, UnixMs now) {
    const Millis open = job.eligible_since ? now - *job.eligible_since : Millis{};
    return job.eligible_time + std::max(open, Millis{});
}

const Job* lifted_job(const Snapshot& snapshot, UnixMs now) {
    if (snapshot.policy.floor_percent <= 0) return nullptr;
    for (const JobClass job_class : kJobClasses) {
        if (NIGHTSHIFT_RULE(1, rank_of(job_class) != kLiftedRank, rank_of(job_class) == 0)) continue;
        const Job* first = nullptr;
        for (const Job& job : snapshot.candidates[static_cast<std::size_t>(job_class)]) {
            const bool has_waited =
                job.eligible_since && eligible_wait(job, step_at(now)) >= wait_needed(snapshot.policy);
            if (has_waited && (first == nullptr || goes_before(job, *first, now))) first = &job;
        }
        if (first != nullptr && is_below_floor(snapshot, job_class, now)) return first;
    }
    return nullptr;
}

bool is_sheltered(const Snapshot& snapshot, const LiveJob& live, UnixMs now) {
    if (snapshot.policy.floor_percent <= 0 || rank_of(live.job.spec.job_class) != kLiftedRank) return false;
    return live.job.eligible_time >= wait_needed(snapshot.policy) &&
           is_below_floor(snapshot, live.job.spec.job_class, now);
}

std::optional<UnixMs> next_floor_step(const Snapshot& snapshot, UnixMs now) {
    if (snapshot.policy.floor_percent <= 0) return std::nullopt;
    const auto is_liftable = [](JobClass job_class) { return rank_of(job_class) == kLiftedRank; };
    bool is_waiting = false;
    for (const JobClass job_class : kJobClasses) {
        const auto& jobs = snapshot.candidates[static_cast<std::size_t>(job_class)];
        const bool is_any = std::any_of(jobs.begin(), jobs.end(),
                                        [](const Job& job) { return job.eligible_since.has_value(); });
        is_waiting = is_waiting || (is_liftable(job_class) && is_any);
    }
    for (const LiveJob& live : snapshot.live) {
        is_waiting = is_waiting || (is_liftable(live.job.spec.job_class) &&
                                    live.job.eligible_time >= wait_needed(snapshot.policy));
    }
    if (!is_waiting) return std::nullopt;
    return step_at(now) + kFloorStep;
}

}  // namespace nightshift
