#include "scheduler/queue_view.h"

#include "scheduler/gates.h"
#include "scheduler/scene.h"

namespace nightshift {

QueueView::QueueView(const Snapshot& snapshot, const TimeZones& zones, UnixMs now)
    : snapshot_(snapshot), zones_(zones), now_(now), windows_(snapshot.policy, zones, now) {}

std::optional<Gate> QueueView::gate_of(const Job& job) const {
    const Scene scene{snapshot_, zones_, now_, windows_};
    auto gates = standing_gates(scene, job);
    if (!gates.empty()) return std::move(gates.front());
    const auto& seen = snapshot_.candidates[static_cast<std::size_t>(job.spec.job_class)];
    if (seen.size() < static_cast<std::size_t>(kCandidatesPerClass)) return std::nullopt;
    Gate gate;
    gate.code = "order_behind";
    gate.value = kCandidatesPerClass;
    gate.limit = kCandidatesPerClass;
    gate.text = "At least " + std::to_string(kCandidatesPerClass) + " waiting " +
                std::string(to_string(job.spec.job_class)) + " jobs are ahead of it.";
    return gate;
}

}  // namespace nightshift
