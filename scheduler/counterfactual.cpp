#include "scheduler/counterfactual.h"

#include <algorithm>

#include "scheduler/pass.h"

namespace nightshift {
namespace {

constexpr std::size_t kTriesMax = 24;
constexpr std::int64_t kMi = 1024 * 1024;

bool has_gate(const Explanation& explanation, std::string_view code) {
    return std::any_of(explanation.gates.begin(), explanation.gates.end(),
                       [code](const Gate& gate) { return gate.code == code; });
}

const LiveJob* find_live(const Snapshot& snapshot, JobId id) {
    const auto found = std::find_if(snapshot.live.begin(), snapshot.live.end(),
                                    [id](const LiveJob& live) { return live.job.id == id; });
    return found == snapshot.live.end() ? nullptr : &*found;
}

void apply_verb(std::string_view verb, const Counterfactual& change, Snapshot& snapshot, Job& job) {
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
        if (const LiveJob* live = find_live(snapshot, change.subject); live != nullptr && verb == "preempt") {
            // It goes back to its place in the queue and may well start again first.
            Job waiting = live->job;
            waiting.state = JobState::kWaiting;
            snapshot.candidates[static_cast<std::size_t>(waiting.spec.job_class)].push_back(waiting);
        }
        std::erase_if(snapshot.live,
                      [&change](const LiveJob& live) { return live.job.id == change.subject; });
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
    for (const KindStats& stats : snapshot.stats) {
        if (stats.kind != job.spec.kind || stats.runs <= 0) continue;
        change.cost += "; the last " + std::to_string(stats.runs) + " runs of its kind took at most " +
                       format_bytes(stats.peak_vram_max);
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

}  // namespace

void apply(const Counterfactual& change, Snapshot& snapshot, Job& job) {
    for (std::string_view rest = change.verb; !rest.empty();) {
        const auto plus = rest.find('+');
        apply_verb(rest.substr(0, plus), change, snapshot, job);
        rest = plus == std::string_view::npos ? std::string_view{} : rest.substr(plus + 1);
    }
}

std::string gets_going(const Snapshot& snapshot, const Job& job, const TimeZones& zones, UnixMs now) {
    Snapshot with_job = snapshot;
    for (auto& jobs : with_job.candidates) {
        std::erase_if(jobs, [&job](const Job& j) { return j.id == job.id; });
    }
    with_job.candidates[static_cast<std::size_t>(job.spec.job_class)].push_back(job);
    const WindowBook windows(with_job.policy, zones, now);
    const Scene scene{with_job, zones, now, windows};
    const Plan plan = Pass(scene).run();
    const bool starts = std::any_of(plan.starts.begin(), plan.starts.end(),
                                    [&job](const Start& start) { return start.job == job.id; });
    if (starts) return "it starts now";
    std::vector<JobId> victims;
    for (const Yield& yield : plan.yields) {
        if (yield.reason == "preempted" && yield.beneficiary == job.id) victims.push_back(yield.job);
    }
    if (victims.empty()) return "";
    return format_jobs(victims) + (victims.size() == 1 ? " yields for it" : " yield for it");
}

std::vector<Counterfactual> counterfactuals(const Snapshot& snapshot, const Job& job,
                                            const Explanation& explanation, const TimeZones& zones,
                                            UnixMs now) {
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
    std::vector<Counterfactual> found;
    for (Counterfactual& change : tries) {
        Snapshot changed = snapshot;
        Job changed_job = job;
        apply(change, changed, changed_job);
        change.effect = gets_going(changed, changed_job, zones, now);
        if (change.effect.empty()) continue;
        const bool is_flags_alone = change.verb == flags.verb;
        found.push_back(std::move(change));
        // The switches are enough; to take something from another job as well would be no help.
        if (is_flags_alone) break;
    }
    return found;
}

}  // namespace nightshift
