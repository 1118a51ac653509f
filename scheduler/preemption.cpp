#include "scheduler/preemption.h"

#include <algorithm>
#include <tuple>

#include "scheduler/defect.h"
#include "scheduler/floor.h"

namespace nightshift {
namespace {

/// The search for the cheapest set gives up after this many steps with the best one it has: exact for
/// twelve victims however they lie, and nearly always for many more.
constexpr int kStepsMax = 1 << 13;
constexpr Millis kSaveTime = seconds(5);
constexpr Millis kRestartTime = seconds(10);

bool covers(const Shortage& s) {
    return !s.is_any();
}

Shortage after(Shortage s, const LiveJob& victim, const Scene& scene) {
    if (victim.lease.device == s.device) s.vram -= victim.lease.held();
    s.ram -= victim.job.spec.ram;
    // Inference does not count the slots of lower classes: their leaving brings it none.
    if (!s.is_for_inference) s.cpu -= cpu_need(victim.job.spec, scene.snapshot);
    s.slots -= 1;
    return s;
}

/// Its leaving would bring some of what is lacking.
bool contributes(const Shortage& s, const LiveJob& victim) {
    return (s.vram.value > 0 && victim.lease.device == s.device && victim.lease.held().value > 0) ||
           (s.ram.value > 0 && victim.job.spec.ram.value > 0) ||
           (s.cpu > 0 && !s.is_for_inference && victim.job.spec.cpu > 0) || s.slots > 0;
}

/// It was let past the beneficiary, which was ready and ahead of it when it started.
bool has_passed(const LiveJob& live, const Job& beneficiary) {
    const UnixMs started = live.attempt.granted_at;
    const bool was_ready = beneficiary.eligible_since && *beneficiary.eligible_since <= started;
    if (!was_ready || rank_of(live.job.spec.job_class) != rank_of(beneficiary.spec.job_class)) return false;
    // Without ageing: how far the other one had risen before it started is not kept.
    const auto place = [](const Job& job) {
        return std::make_tuple(-job.spec.priority, job.order_key, job.id);
    };
    return NIGHTSHIFT_RULE(48, place(beneficiary) < place(live.job), true);
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
    const bool is_for_inference = beneficiary.spec.job_class == JobClass::kInference;
    if (!is_for_inference && is_sheltered(scene.snapshot, live, scene.now)) {
        return *next_floor_step(scene.snapshot, scene.now);
    }
    std::optional<UnixMs> until;
    std::vector<UnixMs> recent;
    for (const UnixMs at : live.preempted_at) {
        if (scene.now - at < hours(24)) recent.push_back(at);
    }
    if (NIGHTSHIFT_RULE(15, static_cast<int>(recent.size()) >= policy.max_per_day, false)) {
        if (policy.max_per_day <= 0) return kAlways;
        std::sort(recent.begin(), recent.end());
        until = recent[recent.size() - static_cast<std::size_t>(policy.max_per_day)] + hours(24);
    }
    const UnixMs started = live.attempt.running_at.value_or(live.attempt.granted_at);
    if (NIGHTSHIFT_RULE(7, !is_for_inference, false) && started + policy.min_run > scene.now) {
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
    gate.text = scene.say(
        [&] { return "One preemption at a time: " + format_jobs(gate.jobs) + " is leaving already."; });
    return gate;
}

Gate hysteresis_gate(const Scene& scene, UnixMs until) {
    Gate gate;
    gate.code = "preemption_in_flight";
    gate.opens_at = until;
    gate.text = scene.say([&] {
        return "A job was preempted less than " + format_duration(kHysteresis) +
               " ago; the next one follows after that.";
    });
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
    gate.text = scene.say([&] {
        std::string text = format_jobs(gate.jobs) + (gate.jobs.size() == 1 ? " runs" : " run") +
                           " below it but may not be preempted";
        text += first ? " before " + format_instant(scene, "", *first) + "." : ".";
        text.front() = 'J';
        return text;
    });
    return gate;
}

/// Looks for the covering set with the least lost work; ties go to the lowest class, the youngest starts.
class VictimSearch {
  public:
    VictimSearch(const Scene& scene, std::vector<const LiveJob*> pool)
        : scene_(scene), pool_(std::move(pool)) {
        std::sort(pool_.begin(), pool_.end(), [this](const LiveJob* a, const LiveJob* b) {
            return std::make_tuple(price(*a), a->job.id) < std::make_tuple(price(*b), b->job.id);
        });
    }

    /// Empty when not even all of them together cover the shortage.
    std::vector<const LiveJob*> run(const Shortage& shortage) {
        descend(0, shortage, Price{});
        return std::move(best_);
    }

  private:
    using Price = std::tuple<std::int64_t, std::int64_t, std::int64_t>;

    Price price(const LiveJob& victim) const {
        return {NIGHTSHIFT_RULE(6, lost_work(victim, scene_.now).value, 0),
                -rank_of(victim.job.spec.job_class), -victim.attempt.granted_at.value / 1000};
    }
    static Price sum(const Price& a, const Price& b) {
        return {std::get<0>(a) + std::get<0>(b), std::get<1>(a) + std::get<1>(b),
                std::get<2>(a) + std::get<2>(b)};
    }
    bool can_cover(std::size_t from, Shortage left) const {
        for (std::size_t i = from; i < pool_.size(); ++i) left = after(left, *pool_[i], scene_);
        return covers(left);
    }

    void descend(std::size_t next, const Shortage& left, const Price& paid) {
        if (++steps_ > kStepsMax && !best_.empty()) return;
        // Lost work alone bounds a branch: the other two only break ties and may fall.
        if (!best_.empty() && std::get<0>(paid) > std::get<0>(best_price_)) return;
        if (covers(left)) {
            if (best_.empty() || paid < best_price_) {
                best_ = chosen_;
                best_price_ = paid;
            }
            return;
        }
        if (next == pool_.size() || !can_cover(next, left)) return;
        if (contributes(left, *pool_[next])) {
            chosen_.push_back(pool_[next]);
            descend(next + 1, after(left, *pool_[next], scene_), sum(paid, price(*pool_[next])));
            chosen_.pop_back();
        }
        descend(next + 1, left, paid);
    }

    const Scene& scene_;
    std::vector<const LiveJob*> pool_;
    std::vector<const LiveJob*> chosen_, best_;
    Price best_price_;
    int steps_ = 0;
};

}  // namespace

std::optional<UnixMs> askable_from(const Scene& scene, const LiveJob& live, const Job& beneficiary) {
    Shortage of_vram;
    of_vram.vram = Bytes{1};
    if (!is_below(live, beneficiary, of_vram)) return std::nullopt;
    const auto until = protected_until(scene, live, beneficiary);
    if (until && until->value == INT64_MAX) return std::nullopt;
    return std::max(until.value_or(scene.now), scene.now);
}

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
    auto victims = VictimSearch(scene, std::move(pool)).run(shortage);
    if (victims.empty()) {
        verdict.gate = protected_gate(scene, safe);
    } else if (is_in_flight) {
        verdict.gate = in_flight_gate(scene);
    } else if (const auto last = scene.snapshot.last_preemption_at;
               last && scene.now - *last < NIGHTSHIFT_RULE(8, kHysteresis, Millis{})) {
        verdict.gate = hysteresis_gate(scene, *last + kHysteresis);
    } else {
        for (const LiveJob* victim : victims) verdict.lost = verdict.lost + lost_work(*victim, scene.now);
        verdict.victims = std::move(victims);
    }
    return verdict;
}

}  // namespace nightshift
