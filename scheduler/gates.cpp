#include "scheduler/gates.h"

#include <algorithm>

#include "scheduler/runtime.h"

namespace nightshift {
namespace {

/// A run shorter than this before its window closes is not worth the start-up and the saving.
constexpr Millis kUsefulRunMin = minutes(1);

Gate gate(std::string code, std::string text, std::optional<UnixMs> opens_at = std::nullopt) {
    Gate g;
    g.code = std::move(code);
    g.text = std::move(text);
    g.opens_at = opens_at;
    return g;
}

std::string pause_text(const Scene& scene) {
    const Snapshot& s = scene.snapshot;
    std::string text = "The queue is paused";
    if (!s.pause_reason.empty()) text += " (" + s.pause_reason + ")";
    return text + (s.pause_until ? " until " + format_instant(scene, "", *s.pause_until) + "."
                                 : "; resume it to start jobs.");
}

void add_queue_gates(const Scene& scene, const Job& job, std::vector<Gate>& gates) {
    const Snapshot& s = scene.snapshot;
    if (job.held) gates.push_back(gate("held", "The job is on hold; release it to let it run."));
    const bool is_pause_over = s.pause_until && *s.pause_until <= scene.now;
    if (s.is_paused && !is_pause_over) {
        gates.push_back(gate("queue_paused", scene.say([&] { return pause_text(scene); }), s.pause_until));
    }
    if (s.is_draining)
        gates.push_back(gate("drain", "The daemon is stopping; no job starts before its next start."));
}

void add_dependency_gates(const Scene& scene, const Job& job, std::vector<Gate>& gates) {
    if (job.dependencies_open <= 0 && !job.dependency_impossible) return;
    std::vector<JobId> parents;
    for (const Dependency& dependency : job.spec.after) parents.push_back(dependency.on);
    const auto names = [&] { return parents.empty() ? "another job" : format_jobs(parents); };
    if (job.dependency_impossible) {
        gates.push_back(gate("dep_impossible", scene.say([&] {
            return "It waits for an end of " + names() + " that can never come.";
        })));
    } else {
        gates.push_back(gate("dep_waiting", scene.say([&] {
            return "It starts after " + names() + "; " + std::to_string(job.dependencies_open) +
                   " of its conditions still open.";
        })));
    }
    gates.back().jobs = parents;
    gates.back().value = job.dependencies_open;
}

void add_time_gates(const Scene& scene, const Job& job, std::vector<Gate>& gates) {
    if (job.spec.not_before && *job.spec.not_before > scene.now) {
        gates.push_back(gate("not_before", scene.say([&] {
            return "It may not start before " + format_instant(scene, "", *job.spec.not_before) + ".";
        }),
                             job.spec.not_before));
    }
    if (job.retry_at && *job.retry_at > scene.now) {
        gates.push_back(gate("retry_backoff", scene.say([&] {
            return "Its last attempt failed; the next one starts at " +
                   format_instant(scene, "", *job.retry_at) + ".";
        }),
                             job.retry_at));
    }
    if (job.spec.start_deadline && *job.spec.start_deadline <= scene.now) {
        gates.push_back(gate("start_deadline_soon", "Its start deadline has passed; it expires."));
    }
}

void add_window_gate(const Scene& scene, const Job& job, std::vector<Gate>& gates) {
    const std::string& name = window_of(job.spec, scene.policy());
    const WindowStatus& window = scene.windows.status(name);
    const auto quoted = [&name] { return "The window \"" + name + "\""; };
    if (!window.is_known) {
        gates.push_back(gate("outside_window", scene.say([&] {
            return quoted() + " is not in the policy; add it there or edit the job.";
        })));
    } else if (!window.is_open) {
        gates.push_back(gate("outside_window", scene.say([&] {
            return quoted() +
                   (window.opens_at
                        ? " opens " + format_instant(scene, window.timezone, *window.opens_at) + "."
                        : " never opens; change the policy or the job's window.");
        }),
                             window.opens_at));
    } else if (const auto last = last_useful_start(scene, job); last && scene.now > *last) {
        gates.push_back(gate("window_too_short", scene.say([&] {
            return quoted() + " closes " + format_instant(scene, window.timezone, *window.closes_at) +
                   ", too soon for useful work; the job waits for the next one.";
        })));
    } else {
        return;
    }
    gates.back().window = name;
}

/// Why no device could ever run it, or why none can at present.
void add_device_gates(const Scene& scene, const Job& job, std::vector<Gate>& gates) {
    const JobSpec& spec = job.spec;
    const Snapshot& s = scene.snapshot;
    if (s.ram_total.value > 0 && spec.ram > s.ram_total) {
        gates.push_back(gate("unsatisfiable", scene.say([&] {
            return "It wants " + format_bytes(spec.ram) + " of RAM; the machine has " +
                   format_bytes(s.ram_total) + ". Submit it with less.";
        })));
    }
    if (spec.vram.value <= 0) return;
    Bytes largest;
    bool is_any = false;
    bool is_any_healthy = false;
    bool is_any_unknown = false;
    std::string fault;
    for (const DeviceState& device : s.devices) {
        // Its driver has not told yet what there is.
        const bool is_unknown = device.device.total.value == 0;
        if (!is_unknown && !may_use(spec, s.policy, device.device)) continue;
        is_any_unknown = is_any_unknown || is_unknown;
        is_any = true;
        largest = std::max(largest, device.device.total - s.policy.safety);
        const bool is_healthy = !device.sample || device.sample->is_healthy;
        is_any_healthy = is_any_healthy || is_healthy;
        if (!is_healthy) fault = device.sample->fault;
    }
    if (!is_any) {
        gates.push_back(gate("unsatisfiable",
                             "No device of this machine may be used by it; check its `gpu` and the "
                             "policy's `gpus` for its class."));
    } else if (spec.vram > largest && !is_any_unknown) {
        gates.push_back(gate("unsatisfiable", scene.say([&] {
            return "It wants " + format_bytes(spec.vram) + " of VRAM; the most a job can get is " +
                   format_bytes(std::max(largest, Bytes{})) + ". Submit it with less.";
        })));
    } else if (!is_any_healthy) {
        gates.push_back(gate("gpu_unhealthy", scene.say([&] {
            return "The GPU cannot be used: " + (fault.empty() ? "it reports a fault." : fault) +
                   " Jobs start again by themselves when it has recovered.";
        })));
    }
}

}  // namespace

std::optional<UnixMs> last_useful_start(const Scene& scene, const Job& job) {
    const auto closes_at = scene.windows.status(window_of(job.spec, scene.policy())).closes_at;
    if (!closes_at) return std::nullopt;
    const ClassPolicy& policy = scene.policy().of(job.spec.job_class);
    const auto run = predict_run(job, scene.snapshot);
    // Only a guess about the run itself counts here; a time limit says nothing about its length.
    const bool is_guess = run.p90 && run.basis != RunBasis::kTimeLimit;
    const Millis wanted =
        job.spec.preemptible ? scene.policy().preemption.grace + kUsefulRunMin : kUsefulRunMin;
    if (!is_guess) return *closes_at - wanted;
    if (!job.spec.preemptible) return *closes_at - *run.p90;
    const UnixMs to_save = *closes_at - std::min(wanted, *run.p90);
    const bool may_finish = job.spec.at_window_end.value_or(policy.at_window_end) == WindowEnd::kFinish;
    if (!may_finish) return to_save;
    return std::max(to_save, std::min(*closes_at, *closes_at + policy.window_slack - *run.p90));
}

bool is_room_gate(std::string_view code) {
    return code.starts_with("vram_") || code == "order_behind" || code == "preemption_in_flight" ||
           code == "protected_victims";
}

bool waits_for_room_alone(const Explanation& explanation) {
    return std::all_of(explanation.gates.begin(), explanation.gates.end(),
                       [](const Gate& g) { return is_room_gate(g.code); });
}

bool is_eligible(const Explanation& explanation) {
    return std::all_of(explanation.gates.begin(), explanation.gates.end(), [](const Gate& g) {
        // A limit of its class or group is the policy's will, not a lack of room.
        const bool is_machine = g.code == "cpu" || g.code == "ram" || g.code == "group_limit";
        return is_room_gate(g.code) || (is_machine && g.group.empty());
    });
}

std::vector<Gate> standing_gates(const Scene& scene, const Job& job) {
    std::vector<Gate> gates;
    add_queue_gates(scene, job, gates);
    add_dependency_gates(scene, job, gates);
    add_time_gates(scene, job, gates);
    add_window_gate(scene, job, gates);
    add_device_gates(scene, job, gates);
    const auto vram_max = scene.policy().of(job.spec.job_class).vram_max;
    if (vram_max && job.spec.vram > *vram_max) {
        gates.push_back(gate("group_limit", scene.say([&] {
            return "A " + std::string(to_string(job.spec.job_class)) + " job may have at most " +
                   format_bytes(*vram_max) + " of VRAM; this one wants " + format_bytes(job.spec.vram) + ".";
        })));
        gates.back().group = "class " + std::string(to_string(job.spec.job_class));
        gates.back().limit = vram_max->value;
        gates.back().value = job.spec.vram.value;
    }
    return gates;
}

std::optional<Gate> idle_gate(const Scene& scene, const Job& job, const ClassActivities& activities) {
    std::vector<JobId> live;
    std::vector<JobId> waiting;
    std::string classes;
    for (const JobClass wanted : scene.policy().of(job.spec.job_class).only_when_idle) {
        const ClassActivity& activity = activities[static_cast<std::size_t>(wanted)];
        const auto count = live.size() + waiting.size();
        for (const JobId id : activity.live) {
            if (id != job.id) live.push_back(id);
        }
        for (const JobId id : activity.waiting_for_room) {
            if (id != job.id) waiting.push_back(id);
        }
        if (live.size() + waiting.size() == count) continue;
        classes +=
            scene.say([&] { return (classes.empty() ? "" : " and ") + std::string(to_string(wanted)); });
    }
    if (live.empty() && waiting.empty()) return std::nullopt;
    Gate g = gate("only_when_idle", scene.say([&] {
        std::string text = "It runs only while " + classes + " is idle: ";
        if (!live.empty()) text += format_jobs(live) + " running";
        if (!waiting.empty()) text += (live.empty() ? "" : ", ") + format_jobs(waiting) + " waiting for room";
        return text + ".";
    }));
    g.jobs = std::move(live);
    g.jobs.insert(g.jobs.end(), waiting.begin(), waiting.end());
    g.value = static_cast<std::int64_t>(g.jobs.size());
    return g;
}

std::vector<Gate> machine_gates(const Scene& scene, const Job& job, const Ledger& ledger,
                                const std::vector<std::pair<std::string, JobId>>& kept_for) {
    std::vector<Gate> gates;
    const auto add = [&](std::string code, bool is_wanted, bool is_short, std::int64_t limit,
                         std::int64_t used, const auto& compose) {
        if (!is_wanted) return;
        const auto kept =
            std::find_if(kept_for.begin(), kept_for.end(), [&](const auto& k) { return k.first == code; });
        if (!is_short && kept == kept_for.end()) return;
        Gate g = gate(std::move(code), scene.say([&] {
            std::string text = compose();
            if (kept != kept_for.end()) {
                text += " Job " + std::to_string(kept->second.value) + " is ahead and waits for the same.";
            }
            if (is_short && !ledger.kept().empty()) {
                std::vector<JobId> ahead;
                for (const Hold& hold : ledger.kept()) ahead.push_back(hold.job);
                text +=
                    " This counts what is kept for " + format_jobs(ahead) + ", whose memory is on its way.";
            }
            return text;
        }));
        if (kept != kept_for.end()) g.jobs = {kept->second};
        g.limit = limit;
        g.value = used;
        gates.push_back(std::move(g));
    };
    const int limit = scene.policy().limits.running;
    add("group_limit", true, ledger.running() >= limit, limit, ledger.running(), [&] {
        return std::to_string(ledger.running()) + " jobs are running; the policy allows " +
               std::to_string(limit) + ".";
    });
    const Bytes ram_total = scene.snapshot.ram_total;
    add("ram", ram_total.value > 0 && job.spec.ram.value > 0, ledger.ram_used() + job.spec.ram > ram_total,
        ram_total.value, ledger.ram_used().value, [&] {
            return "It wants " + format_bytes(job.spec.ram) + " of RAM; " + format_bytes(ledger.ram_used()) +
                   " of " + format_bytes(ram_total) + " are in use.";
        });
    const int cpu_total = scene.snapshot.cpu_total;
    const int need = cpu_need(job.spec, scene.snapshot);
    const int cpu_used = ledger.cpu_used(job.spec.job_class);
    const bool is_inference = job.spec.job_class == JobClass::kInference;
    add("cpu", need > 0, cpu_used + need > cpu_total, cpu_total, cpu_used, [&] {
        return "It wants " + std::to_string(need) + " CPU slots; " + std::to_string(cpu_used) + " of " +
               std::to_string(cpu_total) + " are in use" + (is_inference ? " by inference." : ".");
    });
    return gates;
}

}  // namespace nightshift
