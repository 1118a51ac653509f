#include "scheduler/preemption.h"

#include <algorithm>
#include <tuple>

namespace nightshift {
namespace {

/// Sets are examined exactly over at most this many victims: 2^10 sets.
constexpr std::size_t kVictimsMax = 10;
constexpr Millis kSaveTime = seconds(5);
constexpr Millis kRestartTime = seconds(10);

bool covers(const Shortage& s) {
    return !s.is_any();
}

Shortage after(Shortage s, const LiveJob& victim, const Scene& scene) {
    if (victim.lease.device == s.device) s.vram -= victim.lease.held();
    s.ram -= victim.job.spec.ram;
    s.cpu -= cpu_need(victim.job.spec, scene.snapshot);
    s.slots -= 1;
    return s;
}

/// Its leaving would bring some of what is lacking.
bool contributes(const Shortage& s, const LiveJob& victim) {
    return (s.vram.value > 0 && victim.lease.device == s.device && victim.lease.held().value > 0) ||
           (s.ram.value > 0 && victim.job.spec.ram.value > 0) || (s.cpu > 0 && victim.job.spec.cpu > 0) ||
           s.slots > 0;
}

/// It was let past the beneficiary, which was ready and ahead of it when it started.
bool has_passed(const LiveJob& live, const Job& beneficiary) {
    const UnixMs started = live.attempt.granted_at;
    const bool was_ready = beneficiary.eligible_since && *beneficiary.eligible_since < started;
    if (!was_ready || rank_of(live.job.spec.job_class) != rank_of(beneficiary.spec.job_class)) return false;
    // Without ageing: how far the other one had risen before it started is not kept.
    const auto place = [](const Job& job) {
        return std::make_tuple(-job.spec.priority, job.order_key, job.id);
    };
    return place(beneficiary) < place(live.job);
}

bool is_below(const LiveJob& live, const Job& beneficiary, const Shortage& shortage) {
    const int rank = rank_of(beneficiary.spec.job_class);
    if (rank_of(live.job.spec.job_class) > rank) return true;
    return shortage.vram.value > 0 && has_passed(live, beneficiary);
}

/// Until when it is safe from the beneficiary; nothing when it is not, the far future when it always is.
std::optional<UnixMs> protected_until(const Scene& scene, const LiveJob& live, const Job& beneficiary) {
    constexpr UnixMs kAlways{INT64_MAX};
    const PreemptionPolicy& policy = scene.policy().preemption;
    if (!live.job.spec.preemptible || live.job.state != JobState::kRunning) return kAlways;
    std::optional<UnixMs> until;
    std::vector<UnixMs> recent;
    for (const UnixMs at : live.preempted_at) {
        if (scene.now - at < hours(24)) recent.push_back(at);
    }
    if (static_cast<int>(recent.size()) >= policy.max_per_day) {
        if (policy.max_per_day <= 0) return kAlways;
        std::sort(recent.begin(), recent.end());
        until = recent[recent.size() - static_cast<std::size_t>(policy.max_per_day)] + hours(24);
    }
    const bool is_for_inference = beneficiary.spec.job_class == JobClass::kInference;
    const UnixMs started = live.attempt.running_at.value_or(live.attempt.granted_at);
    if (!is_for_inference && started + policy.min_run > scene.now) {
        until = std::max(until.value_or(UnixMs{}), started + policy.min_run);
    }
    return until;
}

bool is_preemption(const LiveJob& live) {
    const bool is_leaving = live.job.state == JobState::kYielding || live.job.state == JobState::kStopping;
    return is_leaving && (live.attempt.beneficiary || live.attempt.stop_reason == "preempted");
}

Gate in_flight_gate(const Scene& scene) {
    Gate gate;
    gate.code = "preemption_in_flight";
    for (const LiveJob& live : scene.snapshot.live) {
        if (is_preemption(live)) gate.jobs.push_back(live.job.id);
    }
    gate.text = "One preemption at a time: " + format_jobs(gate.jobs) + " is leaving already.";
    return gate;
}

Gate hysteresis_gate(UnixMs until) {
    Gate gate;
    gate.code = "preemption_in_flight";
    gate.opens_at = until;
    gate.text = "A job was preempted less than " + format_duration(kHysteresis) +
                " ago; the next one follows after that.";
    return gate;
}

Gate protected_gate(const Scene& scene, const std::vector<std::pair<const LiveJob*, UnixMs>>& safe) {
    Gate gate;
    gate.code = "protected_victims";
    std::optional<UnixMs> first;
    for (const auto& [live, until] : safe) {
        gate.jobs.push_back(live->job.id);
        if (until.value != INT64_MAX && (!first || until < *first)) first = until;
    }
    gate.opens_at = first;
    gate.text = format_jobs(gate.jobs) + (gate.jobs.size() == 1 ? " runs" : " run") +
                " below it but may not be preempted";
    gate.text += first ? " before " + format_instant(scene, "", *first) + "." : ".";
    gate.text.front() = 'J';
    return gate;
}

/// The cheapest covering set: by lost work, lowest class, youngest start, then ids.
std::vector<const LiveJob*> cheapest(const Scene& scene, const Shortage& shortage,
                                     std::vector<const LiveJob*> pool) {
    std::sort(pool.begin(), pool.end(), [&scene](const LiveJob* a, const LiveJob* b) {
        const auto key = [&scene](const LiveJob* v) {
            return std::make_tuple(lost_work(*v, scene.now), -rank_of(v->job.spec.job_class),
                                   -v->attempt.granted_at.value, v->job.id);
        };
        return key(a) < key(b);
    });
    if (pool.size() > kVictimsMax) pool.resize(kVictimsMax);
    std::vector<const LiveJob*> best;
    std::optional<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::size_t>> best_key;
    for (std::size_t set = 1; set < std::size_t{1} << pool.size(); ++set) {
        Shortage left = shortage;
        std::vector<const LiveJob*> victims;
        std::int64_t cost = 0;
        std::int64_t ranks = 0;
        std::int64_t starts = 0;
        for (std::size_t i = 0; i < pool.size(); ++i) {
            if ((set >> i & 1) == 0) continue;
            left = after(left, *pool[i], scene);
            cost += lost_work(*pool[i], scene.now).value;
            ranks -= rank_of(pool[i]->job.spec.job_class);
            starts -= pool[i]->attempt.granted_at.value / 1000;
            victims.push_back(pool[i]);
        }
        if (!covers(left)) continue;
        const auto key = std::make_tuple(cost, ranks, starts, set);
        if (!best_key || key < *best_key) {
            best_key = key;
            best = std::move(victims);
        }
    }
    return best;
}

}  // namespace

Millis lost_work(const LiveJob& victim, UnixMs now) {
    const UnixMs started = victim.attempt.running_at.value_or(victim.attempt.granted_at);
    const Millis run = Millis{std::max<std::int64_t>((now - started).value, 0)};
    const Millis lost = victim.job.spec.checkpoint == CheckpointMode::kNone ? run : kSaveTime;
    return lost + kRestartTime;
}

PreemptionVerdict choose_victims(const Scene& scene, const Ledger& ledger, const Job& beneficiary,
                                 const Shortage& shortage) {
    PreemptionVerdict verdict;
    if (!shortage.is_any()) return verdict;
    Shortage left_with_all = shortage;
    std::vector<const LiveJob*> pool;
    std::vector<std::pair<const LiveJob*, UnixMs>> safe;
    bool is_in_flight = false;
    for (const LiveJob& live : scene.snapshot.live) {
        is_in_flight = is_in_flight || is_preemption(live);
        if (ledger.is_leaving(live.job.id) || !is_below(live, beneficiary, shortage) ||
            !contributes(shortage, live))
            continue;
        left_with_all = after(left_with_all, live, scene);
        if (const auto until = protected_until(scene, live, beneficiary)) {
            safe.emplace_back(&live, *until);
        } else {
            pool.push_back(&live);
        }
    }
    if (!covers(left_with_all)) return verdict;
    auto victims = cheapest(scene, shortage, pool);
    if (victims.empty()) {
        verdict.gate = protected_gate(scene, safe);
    } else if (is_in_flight) {
        verdict.gate = in_flight_gate(scene);
    } else if (const auto last = scene.snapshot.last_preemption_at; last && scene.now - *last < kHysteresis) {
        verdict.gate = hysteresis_gate(*last + kHysteresis);
    } else {
        for (const LiveJob* victim : victims) verdict.lost = verdict.lost + lost_work(*victim, scene.now);
        verdict.victims = std::move(victims);
    }
    return verdict;
}

}  // namespace nightshift
