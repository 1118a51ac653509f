#include "scheduler/order.h"

#include <algorithm>
#include <tuple>

namespace nightshift {
namespace {

/// A job that has no id yet comes after every stored one.
std::int64_t id_key(const Job& job) {
    return job.id ? job.id.value : INT64_MAX;
}

auto key_of(const Job& job, UnixMs now) {
    return std::make_tuple(rank_of(job.spec.job_class), -effective_priority(job, now), job.order_key,
                           id_key(job));
}

}  // namespace

int effective_priority(const Job& job, UnixMs now) {
    if (!job.eligible_since || now <= *job.eligible_since) return job.spec.priority;
    const auto points = (now - *job.eligible_since).value / kAgeingStep.value;
    return job.spec.priority + static_cast<int>(std::min<std::int64_t>(points, kAgeingMax));
}

std::optional<UnixMs> next_ageing(const Job& job, UnixMs now) {
    if (!job.eligible_since) return std::nullopt;
    const auto points = std::max<std::int64_t>((now - *job.eligible_since).value / kAgeingStep.value, 0);
    if (points >= kAgeingMax) return std::nullopt;
    return *job.eligible_since + Millis{(points + 1) * kAgeingStep.value};
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
    return order;
}

}  // namespace nightshift
