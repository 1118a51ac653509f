#include "scheduler/planner.h"

#include <algorithm>

#include "scheduler/counterfactual.h"
#include "scheduler/forecast.h"
#include "scheduler/pass.h"
#include "scheduler/wakeup.h"

namespace nightshift {
namespace {

/// Puts the job among the candidates as it is described, replacing what is stored of it. Returns false
/// when it is so far back that a real pass would not look at it.
bool put_candidate(Snapshot& snapshot, const Job& job) {
    auto& jobs = snapshot.candidates[static_cast<std::size_t>(job.spec.job_class)];
    bool was_there = false;
    for (auto& others : snapshot.candidates) {
        was_there = std::erase_if(others, [&job](const Job& j) { return j.id == job.id; }) > 0 || was_there;
    }
    jobs.push_back(job);
    const auto count = snapshot.waiting_count[static_cast<std::size_t>(job.spec.job_class)];
    return was_there || jobs.size() <= kCandidatesPerClass || count < static_cast<std::int64_t>(jobs.size());
}

Gate far_behind_gate(const Snapshot& snapshot, const Job& job) {
    const auto count = snapshot.waiting_count[static_cast<std::size_t>(job.spec.job_class)];
    Gate gate;
    gate.code = "order_behind";
    gate.value = kCandidatesPerClass;
    gate.limit = kCandidatesPerClass;
    gate.text = "At least " + std::to_string(kCandidatesPerClass) + " of " + std::to_string(count) +
                " waiting " + std::string(to_string(job.spec.job_class)) + " jobs are ahead of it.";
    return gate;
}

/// What became of the job in a finished pass.
Explanation explanation_of(const Scene& scene, const Pass& pass, const Plan& plan, const Job& job,
                           bool is_seen) {
    Explanation explanation;
    explanation.job = job.id;
    const auto found = std::find_if(plan.waiting.begin(), plan.waiting.end(),
                                    [&job](const Explanation& e) { return e.job == job.id; });
    if (found != plan.waiting.end()) {
        explanation = *found;
    } else if (std::find(plan.expired.begin(), plan.expired.end(), job.id) != plan.expired.end()) {
        explanation.gates = standing_gates(scene, job);
    }
    if (!is_seen) {
        explanation.is_head_of_class = false;
        const auto is_order = [](const Gate& gate) { return gate.code == "order_behind"; };
        if (std::none_of(explanation.gates.begin(), explanation.gates.end(), is_order)) {
            explanation.gates.push_back(far_behind_gate(scene.snapshot, job));
        }
    }
    explanation.eta = forecast(scene, pass.ledger(), plan, job, explanation);
    return explanation;
}

/// Compares `ours`, the plan with the job, and the one without it.
std::vector<Move> moves_for(const Plan& ours, const Job& job, const Scene& without) {
    std::vector<Move> moves;
    for (const Yield& yield : ours.yields) {
        if (yield.reason != "preempted" || yield.beneficiary != job.id) continue;
        moves.push_back({yield.job, "yields",
                         "Job " + std::to_string(yield.job.value) +
                             " saves its work, leaves for it, and goes back to its place in the queue."});
    }
    for (const Start& start : Pass(without).run().starts) {
        const bool starts_too = std::any_of(ours.starts.begin(), ours.starts.end(),
                                            [&start](const Start& s) { return s.job == start.job; });
        if (starts_too) continue;
        moves.push_back(
            {start.job, "waits",
             "Job " + std::to_string(start.job.value) + " would start now if it were not there."});
    }
    return moves;
}

}  // namespace

Plan plan(const Snapshot& snapshot, const TimeZones& zones, UnixMs now, Words words) {
    const WindowBook windows(snapshot.policy, zones, now);
    const Scene scene{snapshot, zones, now, windows, words == Words::kWritten};
    Plan result = Pass(scene).run();
    result.next_wakeup = next_wakeup(scene, result);
    return result;
}

Explanation explain(const Snapshot& snapshot, const Job& job, const TimeZones& zones, UnixMs now,
                    bool with_counterfactuals) {
    if (is_live(job.state) || is_terminal(job.state)) {
        Explanation nothing;
        nothing.job = job.id;
        return nothing;
    }
    Snapshot world = snapshot;
    const bool is_seen = put_candidate(world, job);
    const WindowBook windows(world.policy, zones, now);
    const Scene scene{world, zones, now, windows};
    Pass pass(scene, job.id);
    const Plan plan = pass.run();
    Explanation explanation = explanation_of(scene, pass, plan, job, is_seen);
    if (!with_counterfactuals) return explanation;
    if (!explanation.gates.empty()) {
        explanation.would_start_if = counterfactuals(world, windows, explanation, job, is_seen, zones, now);
    }
    world.candidates[static_cast<std::size_t>(job.spec.job_class)].pop_back();
    explanation.would_move = moves_for(plan, job, Scene{world, zones, now, windows, false});
    return explanation;
}

}  // namespace nightshift
