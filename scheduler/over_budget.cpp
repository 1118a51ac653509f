#include "scheduler/over_budget.h"

#include <algorithm>

#include "scheduler/defect.h"

namespace nightshift {
namespace {

Bytes excess(const LiveJob& live) {
    return live.lease.held() - live.lease.budget;
}

/// Bytes that the holds, other programs and the safety take beyond the device, and that are not on their
/// way back. Headroom does not count: inference takes it back by itself when it needs it.
Bytes lacking(const Scene& scene, const Ledger& ledger, const DeviceState& device) {
    JobSpec nobody;
    nobody.job_class = JobClass::kInference;
    return Bytes{} - slack_of(ledger.terms(nobody, device, scene.now)) - ledger.leaving(device.device.uuid);
}

}  // namespace

bool is_over_budget(Bytes used, Bytes budget) {
    return budget.value > 0 && used > budget + Bytes{budget.value / 20};
}

std::vector<Yield> over_budget_yields(const Scene& scene, const Ledger& ledger) {
    std::vector<Yield> yields;
    for (const DeviceState& device : scene.snapshot.devices) {
        if (device.sample && !device.sample->is_healthy) continue;
        Bytes missing = lacking(scene, ledger, device);
        std::vector<const LiveJob*> takers;
        for (const LiveJob& live : scene.snapshot.live) {
            const bool is_taker =
                NIGHTSHIFT_RULE(41, is_over_budget(live.lease.used, live.lease.budget), true);
            const bool can_be_asked = live.job.state == JobState::kRunning && !ledger.is_leaving(live.job.id);
            if (live.lease.device == device.device.uuid && is_taker && can_be_asked) takers.push_back(&live);
        }
        std::stable_sort(takers.begin(), takers.end(),
                         [](const LiveJob* a, const LiveJob* b) { return excess(*a) > excess(*b); });
        for (const LiveJob* taker : takers) {
            if (NIGHTSHIFT_RULE(42, missing.value <= 0, false)) break;
            yields.push_back(
                {taker->job.id, JobId{}, "over_budget", scene.now + scene.policy().preemption.grace});
            missing -= taker->lease.held();
        }
    }
    return yields;
}

}  // namespace nightshift
