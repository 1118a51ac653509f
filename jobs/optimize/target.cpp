#include "jobs/optimize/target.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace nightshift::jobs {

std::optional<nlohmann::ordered_json> Target::verdict(const Point&, JobContext&) {
    return nlohmann::ordered_json();
}

const std::vector<TargetKind>& target_kinds() {
    static const std::vector<TargetKind> table{dream_target(), patchcore_target(), risk_target(),
                                               cpd_target()};
    return table;
}

const TargetKind& find_target(const std::string& name) {
    std::string all;
    for (const TargetKind& kind : target_kinds()) {
        if (kind.name == name) return kind;
        all += (all.empty() ? "" : ", ") + kind.name;
    }
    throw JobError("bad_param", "target is '" + name + "'; it can be " + all);
}

void refuse_foreign_inputs(const TargetKind& kind, const nlohmann::json& params) {
    const auto takes = [&](const std::string& input) {
        return std::find(kind.inputs.begin(), kind.inputs.end(), input) != kind.inputs.end();
    };
    for (const TargetKind& other : target_kinds()) {
        for (const std::string& input : other.inputs) {
            if (takes(input) || !params.contains(input)) continue;
            throw JobError("bad_param", "target=" + kind.name + " does not look at '" + input +
                                            "', which is for target=" + other.name + "; leave it out");
        }
    }
}

}  // namespace nightshift::jobs
