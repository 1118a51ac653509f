#pragma once

#include <string_view>
#include <vector>

#include "scheduler/ledger.h"
#include "scheduler/planner.h"
#include "scheduler/scene.h"

namespace nightshift {

/// How a class stands in this pass, for `only_when_idle`.
struct ClassActivity {
    std::vector<JobId> live;              ///< live before the pass or started by it
    std::vector<JobId> waiting_for_room;  ///< waits for VRAM or order alone
};
using ClassActivities = std::array<ClassActivity, kJobClasses.size()>;

/// True for the gates that only say "there is no room yet": VRAM, order and preemption. A job whose
/// gates are all of this kind is eligible: it ages, can be the head of its class, and can preempt.
bool is_room_gate(std::string_view code);
/// All gates but VRAM and order are open. Keep eligible_since in step with it.
bool is_eligible(const Explanation& explanation);

/// The closed gates that depend on the job, the queue, the calendar and the policy, but not on what
/// runs now: held, paused, drain, dependencies, times, windows, class limits, health, satisfiability.
std::vector<Gate> standing_gates(const Scene& scene, const Job& job);

/// `only_when_idle` of the job's class, judged against the activity of the classes it names.
std::optional<Gate> idle_gate(const Scene& scene, const Job& job, const ClassActivities& activities);

/// Running limit, RAM and CPU slots. `kept_for`: an earlier job that waits for one of these, so that
/// nobody passes it (by gate code).
std::vector<Gate> machine_gates(const Scene& scene, const Job& job, const Ledger& ledger,
                                const std::vector<std::pair<std::string, JobId>>& kept_for);

}  // namespace nightshift
