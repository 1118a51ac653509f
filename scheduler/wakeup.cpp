#include "scheduler/wakeup.h"

#include <algorithm>

#include "scheduler/gates.h"
#include "scheduler/order.h"
#include "scheduler/window_edges.h"

namespace nightshift {
namespace {

/// Ageing moves one point in half an hour; looking once a minute is exact enough for it.
constexpr Millis kAgeingLook = minutes(1);

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
    earliest.offer(s.next_timer_hint);
    if (s.is_paused) earliest.offer(s.pause_until);
    for (const Explanation& waiting : plan.waiting) {
        for (const Gate& gate : waiting.gates) earliest.offer(gate.opens_at);
    }
    for (const auto& jobs : s.candidates) {
        for (const Job& job : jobs) {
            earliest.offer(job.spec.start_deadline);
            // A single waiting job has nobody to overtake.
            if (plan.waiting.size() < 2) continue;
            if (const auto at = next_ageing(job, scene.now)) earliest.offer(std::max(*at, scene.now + kAgeingLook));
        }
    }
    if (!plan.waiting.empty()) earliest.offer(scene.windows.next_edge());
    earliest.offer(next_window_yield(scene));
    return earliest.best();
}

}  // namespace nightshift
