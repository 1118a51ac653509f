#include "scheduler/wakeup.h"

#include <algorithm>

#include "scheduler/floor.h"
#include "scheduler/gates.h"
#include "scheduler/order.h"
#include "scheduler/runtime.h"
#include "scheduler/window_edges.h"

namespace nightshift {
namespace {

class Earliest {
  public:
    explicit Earliest(UnixMs now) : now_(now) {}
    void offer(std::optional<UnixMs> at) {
        if (at && *at > now_ && (!best_ || *at < *best_)) best_ = at;
    }
    std::optional<UnixMs> best() const { return best_; }

  private:
    UnixMs now_;
    std::optional<UnixMs> best_;
};

}  // namespace

std::optional<UnixMs> next_wakeup(const Scene& scene, const Plan& plan) {
    const Snapshot& s = scene.snapshot;
    Earliest earliest(scene.now);
    earliest.offer(plan.next_wakeup);
    earliest.offer(s.next_timer_hint);
    if (s.is_paused) earliest.offer(s.pause_until);
    bool is_any_eligible = false;
    const auto& synthesis = s.candidates[static_cast<std::size_t>(JobClass::kSynthesis)];
    const auto is_synthesis = [&synthesis](JobId id) {
        return std::any_of(synthesis.begin(), synthesis.end(), [id](const Job& job) { return job.id == id; });
    };
    for (const Explanation& waiting : plan.waiting) {
        for (const Gate& gate : waiting.gates) earliest.offer(gate.opens_at);
        is_any_eligible = is_any_eligible || is_eligible(waiting);
        // It begins to wait with this plan: the floor may count it from the next step on.
        if (s.policy.floor_percent > 0 && is_synthesis(waiting.job) && is_eligible(waiting))
            earliest.offer(scene.now + kFloorStep);
    }
    // Those that begin to wait for room with this plan gain their first point then.
    if (is_any_eligible && plan.waiting.size() > 1) earliest.offer(scene.now + kAgeingStep);
    for (const auto& jobs : s.candidates) {
        for (const Job& job : jobs) {
            earliest.offer(job.spec.start_deadline);
            // From then on it waits for its next window and no longer for room, others may pass.
            if (const auto last = last_useful_start(scene, job)) earliest.offer(*last + Millis{1});
            // A single waiting job has nobody to overtake.
            if (plan.waiting.size() < 2) continue;
            earliest.offer(next_ageing(job, scene.now));
        }
    }
    if (!plan.waiting.empty()) earliest.offer(scene.windows.next_edge());
    earliest.offer(next_window_yield(scene));
    earliest.offer(next_floor_step(s, scene.now));
    // A run that outlives its guess: reservations and window edges were reckoned with it.
    for (const LiveJob& live : s.live) earliest.offer(predicted_end(live, s, scene.now));
    return earliest.best();
}

}  // namespace nightshift
