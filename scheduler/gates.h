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

/// True for the gates that only say "no VRAM yet, or not your turn": VRAM, order and preemption.
bool is_room_gate(std::string_view code);
/// It waits for VRAM or order alone, which closes `only_when_idle` for other classes.
bool waits_for_room_alone(const Explanation& explanation);
/// Nothing but room keeps it from running, that of the machine (CPU slots, RAM, running jobs) included:
/// it ages. A short moment without a CPU slot must not cost a job the age of a night. Keep
/// eligible_since in step with it.
bool is_eligible(const Explanation& explanation);

/// The closed gates that depend on the job, the queue, the calendar and the policy, but not on what
/// runs now: held, paused, drain, dependencies, times, windows, class limits, health, satisfiability.
std::vector<Gate> standing_gates(const Scene& scene, const Job& job);

/// The last instant at which a start still allows useful work before the job's window closes: all of
/// it, or enough to be worth saving. Nothing when no window bounds it.
std::optional<UnixMs> last_useful_start(const Scene& scene, const Job& job);

/// `only_when_idle` of the job's class, judged against the activity of the classes it names.
std::optional<Gate> idle_gate(const Scene& scene, const Job& job, const ClassActivities& activities);

/// Running limit, RAM and CPU slots. `kept_for`: an earlier job that waits for one of these, so that
/// nobody passes it (by gate code).
std::vector<Gate> machine_gates(const Scene& scene, const Job& job, const Ledger& ledger,
                                const std::vector<std::pair<std::string, JobId>>& kept_for);

}  // namespace nightshift
