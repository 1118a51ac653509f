// What has to hold after every tick of a simulated night.
#include <algorithm>

#include "scheduler/gates.h"
#include "tests/sim/sim_world.h"

namespace nightshift::tests {

void SimWorld::check(const Plan& plan, const Snapshot& seen) {
    for (const DeviceState& device : seen.devices) {
        std::int64_t held = device.foreign.value;
        std::int64_t granted = 0;
        for (const LiveJob& live : seen.live) {
            if (live.lease.device == device.device.uuid) held += live.lease.held().value;
        }
        for (const Lease& lease : seen.reclaiming) {
            if (lease.device == device.device.uuid) held += lease.held().value;
        }
        for (const Start& start : plan.starts) {
            if (start.device == device.device.uuid) granted += start.budget.value;
        }
        if (granted > 0 && held + granted > device.device.total.value - policy_.safety.value) {
            fail("more VRAM granted than there is on " + device.device.uuid);
        }
    }
    const auto running = static_cast<int>(seen.live.size() + plan.starts.size());
    if (!plan.starts.empty() && running > policy_.limits.running) fail("more jobs than allowed");
    int in_flight = 0;
    for (const LiveJob& live : seen.live) {
        const bool is_leaving =
            live.job.state == JobState::kYielding || live.job.state == JobState::kStopping;
        in_flight += is_leaving && live.attempt.beneficiary;
        const bool is_known = live.attempt.id.number == live.job.attempt && live_.contains(live.job.id);
        if (!is_known) fail("a live job without its attempt");
    }
    for (const Yield& yield : plan.yields) {
        if (yield.reason == "preempted" && in_flight > 0) fail("a second preemption is in flight");
        if (yield.reason == "preempted" && last_preemption_at_ && now_ - *last_preemption_at_ < seconds(60)) {
            fail("a preemption within the hysteresis");
        }
    }
    for (const Start& start : plan.starts) {
        const Job& job = jobs_.at(start.job);
        const std::string& name =
            job.spec.window.empty() ? policy_.of(job.spec.job_class).window : job.spec.window;
        const Window* window = policy_.find_window(name);
        if (window != nullptr && !is_open(*window, zones_, now_)) fail("a start outside its window");
        if (job.held || job.dependencies_open > 0)
            fail("a start of a job that is held or depends on another");
        if (job.spec.not_before && *job.spec.not_before > now_) fail("a start before its time");
    }
    for (const Explanation& waiting : plan.waiting) {
        if (waiting.gates.empty()) fail("a waiting job without a reason");
        const Job& job = jobs_.at(waiting.job);
        const bool is_first = waiting.is_head_of_class && job.spec.job_class == JobClass::kInference;
        const bool waits_for_victims =
            std::all_of(waiting.gates.begin(), waiting.gates.end(), [](const Gate& gate) {
                return gate.code == "vram_release_pending" || gate.code == "preemption_in_flight";
            });
        if (!is_first || !waits_for_victims) {
            head_since_.erase(waiting.job);
            continue;
        }
        const auto since = head_since_.emplace(waiting.job, now_).first->second;
        inference_wait_max_ = std::max(inference_wait_max_, now_ - since);
    }
}

namespace {

/// What a plan would do, and what it says of those that wait.
std::string story_of(const Plan& plan) {
    std::string text;
    for (const Start& start : plan.starts)
        text += " start " + std::to_string(start.job.value) + " " + start.device;
    for (const Yield& yield : plan.yields) {
        text +=
            " yield " + std::to_string(yield.job.value) + " for " + std::to_string(yield.beneficiary.value);
    }
    for (const JobId id : plan.expired) text += " expire " + std::to_string(id.value);
    for (const Explanation& waiting : plan.waiting) {
        for (const Gate& gate : waiting.gates) {
            text += "\n" + std::to_string(waiting.job.value) + " " + gate.code + ": " + gate.text;
        }
    }
    return text;
}

bool does_something(const Plan& plan) {
    return !plan.starts.empty() || !plan.yields.empty() || !plan.expired.empty();
}

}  // namespace

Plan SimWorld::settle() {
    // A backfilled start can move a reservation, which lets another job pass: a few rounds, not many.
    constexpr int kRoundsMax = 6;
    for (int round = 0;; ++round) {
        const Snapshot seen = snapshot();
        Plan made = plan(seen, zones_, now_);
        apply(made, seen);
        if (!does_something(made)) {
            check_wakeup(made);
            return made;
        }
        if (round == kRoundsMax) fail("plans of one instant do not come to rest:" + story_of(made));
    }
}

void SimWorld::check_wakeup(const Plan& settled) {
    // Nothing may become possible by the clock alone before the planner asked to be woken.
    const UnixMs next = next_event(settled);
    const std::int64_t gap = std::min<std::int64_t>((next - now_).value - 1, 1'000'000);
    if (gap < 1) return;
    const UnixMs before = now_;
    now_ = before + Millis{dice_.between(1, static_cast<int>(gap))};
    const Plan early = plan(snapshot(), zones_, now_);
    if (does_something(early))
        fail("nobody asked to be woken:" + story_of(early) + "\nbefore" + story_of(settled));
    now_ = before;
}

}  // namespace nightshift::tests
