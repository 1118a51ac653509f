#include "scheduler/groups.h"

#include <algorithm>

#include "scheduler/defect.h"

namespace nightshift {
namespace {

const std::string* label_of(const JobSpec& spec, const std::string& name) {
    for (const auto& [label, value] : spec.labels) {
        if (label == name) return &value;
    }
    return nullptr;
}

void add_if_full(const Scene& scene, std::vector<Gate>& gates, std::string group,
                 const std::vector<JobId>& running, int limit, const std::string& words) {
    const auto count = static_cast<int>(running.size());
    if (NIGHTSHIFT_RULE(12, count < limit, count <= limit)) return;
    Gate gate;
    gate.code = "group_limit";
    gate.group = std::move(group);
    gate.jobs = running;
    gate.limit = limit;
    gate.value = count;
    gate.text = scene.say([&] {
        return "The policy allows " + std::to_string(limit) + " running " + words + "; there " +
               (count == 1 ? "is " : "are ") + std::to_string(count) + ".";
    });
    gates.push_back(std::move(gate));
}

}  // namespace

std::optional<std::string> group_of(const GroupLimit& limit, const JobSpec& spec) {
    const std::string* value = label_of(spec, limit.name);
    if (value == nullptr || (limit.value && *limit.value != *value)) return std::nullopt;
    return limit.name + "=" + *value;
}

bool is_group_full(const Snapshot& snapshot, const JobSpec& spec) {
    for (const GroupLimit& limit : snapshot.policy.groups) {
        const auto group = group_of(limit, spec);
        if (!group) continue;
        const auto count =
            std::count_if(snapshot.live.begin(), snapshot.live.end(),
                          [&](const LiveJob& live) { return group_of(limit, live.job.spec) == group; });
        if (count >= limit.running) return true;
    }
    return false;
}

std::vector<Gate> limit_gates(const Scene& scene, const Job& job, const std::vector<const Job*>& running) {
    std::vector<Gate> gates;
    const auto matching = [&running](auto matches) {
        std::vector<JobId> ids;
        for (const Job* other : running) {
            if (matches(other->spec)) ids.push_back(other->id);
        }
        return ids;
    };
    const JobClass own = job.spec.job_class;
    if (const auto limit = scene.policy().of(own).running) {
        const std::string name(to_string(own));
        add_if_full(scene, gates, "class " + name,
                    matching([own](const JobSpec& spec) { return spec.job_class == own; }), *limit,
                    "job(s) of class " + name);
    }
    for (const GroupLimit& limit : scene.policy().groups) {
        const auto group = group_of(limit, job.spec);
        if (!group) continue;
        add_if_full(scene, gates, *group,
                    matching([&](const JobSpec& spec) { return group_of(limit, spec) == group; }),
                    limit.running, "job(s) labelled " + *group);
    }
    return gates;
}

}  // namespace nightshift
