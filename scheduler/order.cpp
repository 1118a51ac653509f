#include "scheduler/order.h"

#include <algorithm>
#include <tuple>

#include "scheduler/defect.h"
#include "scheduler/floor.h"

namespace nightshift {
namespace {

/// A job that has no id yet comes after every stored one.
std::int64_t id_key(const Job& job) {
    return job.id ? job.id.value : INT64_MAX;
}

auto key_of(const Job& job, UnixMs now) {
    return std::make_tuple(NIGHTSHIFT_RULE(49, rank_of(job.spec.job_class), 0), -effective_priority(job, now),
                           job.order_key, NIGHTSHIFT_RULE(43, id_key(job), 0));
}

}  // namespace

int effective_priority(const Job& job, UnixMs now) {
    const auto points = NIGHTSHIFT_RULE(2, eligible_wait(job, now).value,
                                        job.eligible_since ? (now - *job.eligible_since).value : 0) /
                        kAgeingStep.value;
    return job.spec.priority + static_cast<int>(std::min<std::int64_t>(points, kAgeingMax));
}

std::optional<UnixMs> next_ageing(const Job& job, UnixMs now) {
    if (!job.eligible_since) return std::nullopt;
    const auto points = eligible_wait(job, now).value / kAgeingStep.value;
    if (points >= kAgeingMax) return std::nullopt;
    return *job.eligible_since + Millis{(points + 1) * kAgeingStep.value} - job.eligible_time;
}

bool goes_before(const Job& a, const Job& b, UnixMs now) {
    return key_of(a, now) < key_of(b, now);
}

std::vector<const Job*> planning_order(const Snapshot& snapshot, UnixMs now) {
    std::vector<const Job*> order;
    for (const auto& jobs : snapshot.candidates) {
        for (const Job& job : jobs) order.push_back(&job);
    }
    std::sort(order.begin(), order.end(),
              [now](const Job* a, const Job* b) { return goes_before(*a, *b, now); });
    if (const Job* lifted = lifted_job(snapshot, now)) {
        const auto is_below = [](const Job* job) { return rank_of(job->spec.job_class) > 0; };
        const auto first = std::find_if(order.begin(), order.end(), is_below);
        const auto at = std::find(order.begin(), order.end(), lifted);
        std::rotate(first, at, at + 1);
    }
    return order;
}

}  // namespace nightshift
