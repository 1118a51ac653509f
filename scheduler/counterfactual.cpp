#include "scheduler/counterfactual.h"

#include <algorithm>
#include <iterator>

#include "scheduler/defect.h"
#include "scheduler/learned.h"
#include "scheduler/order.h"
#include "scheduler/pass.h"

namespace nightshift {
namespace {

constexpr std::size_t kTriesMax = 24;
constexpr std::int64_t kMi = 1024 * 1024;

bool has_gate(const Explanation& explanation, std::string_view code) {
    return std::any_of(explanation.gates.begin(), explanation.gates.end(),
                       [code](const Gate& gate) { return gate.code == code; });
}

/// Closed gates that none of the verbs can open: the clock, the calendar, other jobs' ends, a fault.
bool is_hopeless(const Explanation& explanation) {
    constexpr std::string_view kOutOfReach[] = {"drain",         "dep_waiting",     "dep_impossible",
                                                "retry_backoff", "outside_window",  "start_deadline_soon",
                                                "gpu_unhealthy", "window_too_short"};
    return std::any_of(std::begin(kOutOfReach), std::end(kOutOfReach),
                       [&explanation](std::string_view code) { return has_gate(explanation, code); });
}

void take_from_live(const Counterfactual& change, bool is_queued, Snapshot& snapshot, Undo& undo) {
    const auto found = std::find_if(snapshot.live.begin(), snapshot.live.end(),
                                    [&change](const LiveJob& live) { return live.job.id == change.subject; });
    if (found == snapshot.live.end()) return;
    const auto place = static_cast<std::size_t>(found - snapshot.live.begin());
    undo.taken = Undo::Taken{place, std::move(*found), is_queued};
    snapshot.live.erase(found);
    if (!is_queued) return;
    // It goes back to its place in the queue and may well start again first.
    Job waiting = undo.taken->live.job;
    waiting.state = JobState::kWaiting;
    snapshot.candidates[static_cast<std::size_t>(waiting.spec.job_class)].push_back(std::move(waiting));
}

void apply_verb(std::string_view verb, const Counterfactual& change, Snapshot& snapshot, Job& job,
                Undo& undo) {
    if (verb == "release") {
        job.held = false;
    } else if (verb == "resume_queue") {
        snapshot.is_paused = false;
    } else if (verb == "clear_not_before") {
        job.spec.not_before.reset();
    } else if (verb == "set_priority") {
        job.spec.priority = kPriorityMax;
    } else if (verb == "set_vram" && change.vram) {
        job.spec.vram = *change.vram;
    } else if (verb == "cancel" || verb == "preempt") {
        take_from_live(change, verb == "preempt", snapshot, undo);
    }
}

/// The person's switches that have to be set in any case.
Counterfactual needed_flags(const Explanation& explanation) {
    Counterfactual flags;
    const auto add = [&flags](const std::string& verb, const std::string& words) {
        flags.verb += (flags.verb.empty() ? "" : "+") + verb;
        flags.action += (flags.action.empty() ? "" : " and ") + words;
    };
    if (has_gate(explanation, "held")) add("release", "the job is released");
    if (has_gate(explanation, "queue_paused")) add("resume_queue", "the queue is resumed");
    if (has_gate(explanation, "not_before")) add("clear_not_before", "its `not_before` is removed");
    flags.cost = "none";
    return flags;
}

void add_budget(const Snapshot& snapshot, const Job& job, const Explanation& explanation,
                std::vector<Counterfactual>& changes) {
    Bytes room;
    for (const Gate& gate : explanation.gates) {
        if (gate.vram) room = std::max(room, gate.vram->available);
    }
    if (has_gate(explanation, "unsatisfiable")) {
        for (const DeviceState& device : snapshot.devices) {
            room = std::max(room, device.device.total - snapshot.policy.safety);
        }
    }
    if (const auto most = snapshot.policy.of(job.spec.job_class).vram_max;
        most && has_gate(explanation, "group_limit")) {
        room = *most;
    }
    room = Bytes{room.value / kMi * kMi};
    if (room.value <= 0 || room >= job.spec.vram) return;
    Counterfactual change;
    change.verb = "set_vram";
    change.vram = room;
    change.action = "its budget is at most " + format_bytes(room);
    change.cost = "the job has to run in that";
    if (const KindStats* stats = stats_of(job.spec, snapshot.stats)) {
        change.cost += "; the last " + std::to_string(stats->runs) + " runs of its kind" +
                       (stats->group.empty() ? "" : " with these parameters") + " took at most " +
                       format_bytes(stats->peak_vram_max);
    }
    changes.push_back(change);
}

std::vector<Counterfactual> single_changes(const Snapshot& snapshot, const Job& job,
                                           const Explanation& explanation, UnixMs now) {
    std::vector<Counterfactual> changes;
    for (const LiveJob& live : snapshot.live) {
        const bool is_leaving =
            live.job.state == JobState::kYielding || live.job.state == JobState::kStopping;
        if (is_leaving) continue;
        Counterfactual change;
        change.subject = live.job.id;
        const std::string name = "job " + std::to_string(live.job.id.value);
        if (live.job.spec.preemptible) {
            change.verb = "preempt";
            change.action = name + " yields";
            change.cost = "about " + format_duration(lost_work(live, now)) + " of its work";
        } else {
            change.verb = "cancel";
            change.action = name + " is cancelled";
            change.cost = "all of its work";
        }
        changes.push_back(change);
    }
    add_budget(snapshot, job, explanation, changes);
    if (job.spec.priority < kPriorityMax && has_gate(explanation, "order_behind")) {
        Counterfactual change;
        change.verb = "set_priority";
        change.action = "its priority is " + std::to_string(kPriorityMax);
        change.cost = "the jobs of its class that are ahead wait longer";
        changes.push_back(change);
    }
    return changes;
}

/// "it starts now" or "job 3 yields for it" when the job gets going; empty when not.
std::string gets_going(const Scene& scene, JobId job) {
    const Plan plan = Pass(scene).run(job);
    const bool starts = std::any_of(plan.starts.begin(), plan.starts.end(),
                                    [job](const Start& start) { return start.job == job; });
    if (starts) return "it starts now";
    std::vector<JobId> victims;
    for (const Yield& yield : plan.yields) {
        if (yield.reason == "preempted" && yield.beneficiary == job) victims.push_back(yield.job);
    }
    if (victims.empty()) return "";
    return format_jobs(victims) + (victims.size() == 1 ? " yields for it" : " yield for it");
}

/// A real pass looks at the first of each class alone; `others` are those that it sees.
bool is_among_the_first(const Job& job, const std::vector<Job>& others, UnixMs now) {
    return std::any_of(others.begin(), others.end(),
                       [&](const Job& other) { return other.id != job.id && goes_before(job, other, now); });
}

}  // namespace

Undo apply(const Counterfactual& change, Snapshot& snapshot, Job& job) {
    Undo undo{snapshot.is_paused};
    for (std::string_view rest = change.verb; !rest.empty();) {
        const auto plus = rest.find('+');
        apply_verb(rest.substr(0, plus), change, snapshot, job, undo);
        rest = plus == std::string_view::npos ? std::string_view{} : rest.substr(plus + 1);
    }
    return undo;
}

void take_back(Undo undo, Snapshot& snapshot) {
    snapshot.is_paused = undo.is_paused;
    if (NIGHTSHIFT_RULE(46, !undo.taken, true)) return;
    auto& [place, live, is_queued] = *undo.taken;
    if (is_queued) snapshot.candidates[static_cast<std::size_t>(live.job.spec.job_class)].pop_back();
    snapshot.live.insert(snapshot.live.begin() + static_cast<std::ptrdiff_t>(place), std::move(live));
}

std::vector<Counterfactual> counterfactuals(Snapshot& snapshot, const WindowBook& windows,
                                            const Explanation& explanation, const Job& job, bool is_seen,
                                            const TimeZones& zones, UnixMs now) {
    if (is_hopeless(explanation)) return {};
    const Counterfactual flags = needed_flags(explanation);
    std::vector<Counterfactual> tries;
    if (!flags.verb.empty()) tries.push_back(flags);
    for (Counterfactual change : single_changes(snapshot, job, explanation, now)) {
        if (!flags.verb.empty()) {
            change.verb = flags.verb + "+" + change.verb;
            change.action = flags.action + " and " + change.action;
        }
        tries.push_back(std::move(change));
    }
    if (tries.size() > kTriesMax) tries.resize(kTriesMax);
    auto& others = snapshot.candidates[static_cast<std::size_t>(job.spec.job_class)];
    const std::size_t own = others.size() - 1;
    const Scene scene{snapshot, zones, now, windows, false};
    std::vector<Counterfactual> found;
    for (Counterfactual& change : tries) {
        Job changed = job;
        Undo undo = apply(change, snapshot, changed);
        std::swap(others[own], changed);
        const bool is_in_sight = is_seen || is_among_the_first(others[own], others, now);
        if (NIGHTSHIFT_RULE(47, is_in_sight, true))
            change.effect = NIGHTSHIFT_RULE(45, gets_going(scene, job.id), std::string("it starts now"));
        std::swap(others[own], changed);
        take_back(std::move(undo), snapshot);
        if (change.effect.empty()) continue;
        const bool is_flags_alone = change.verb == flags.verb;
        found.push_back(std::move(change));
        // The switches are enough; to take something from another job as well would be no help.
        if (is_flags_alone) break;
    }
    return found;
}

}  // namespace nightshift
