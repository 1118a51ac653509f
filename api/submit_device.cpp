#include "api/submit_device.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/nearest.h"

namespace nightshift::api {

using nlohmann::json;

void read_device(FieldReader& fields, const SubmitDefaults& defaults, JobSpec& spec) {
    if (const json* wanted = fields.take("gpu")) {
        const Device* found = nullptr;
        std::vector<std::string> names;
        for (const DeviceState& state : defaults.devices) {
            names.push_back(state.device.uuid);
            const bool is_index = wanted->is_number_integer() && *wanted == state.device.index;
            if (is_index || (wanted->is_string() && *wanted == state.device.uuid)) found = &state.device;
        }
        if (found != nullptr) {
            spec.gpu = found->uuid;
        } else {
            fields.fail("gpu", "unknown_gpu", "There is no GPU " + wanted->dump().substr(0, 100) + ".",
                        did_you_mean(wanted->dump(), names));
        }
    }
}

void check_budget(FieldReader& fields, const SubmitDefaults& defaults, const JobSpec& spec) {
    const ClassPolicy& policy = defaults.policy->of(spec.job_class);
    const std::string class_name(to_string(spec.job_class));
    if (policy.vram_max && spec.vram > *policy.vram_max) {
        fields.fail("vram", "vram_over_budget",
                    "Class `" + class_name + "` may use " + format_bytes(*policy.vram_max) +
                        "; the job asks for " + format_bytes(spec.vram) + ".",
                    "Lower `vram`, or raise classes." + class_name + ".vram_max in the policy.");
    }
    Bytes largest;
    bool is_any = false;
    for (const DeviceState& state : defaults.devices) {
        // Its driver has not told yet what there is: it refuses nobody.
        if (state.device.total.value == 0) return;
        const auto& allowed = policy.gpus;
        const bool is_allowed =
            (spec.gpu.empty() || spec.gpu == state.device.uuid) &&
            (allowed.empty() || state.device.is_host ||
             std::find(allowed.begin(), allowed.end(), state.device.index) != allowed.end());
        if (!is_allowed) continue;
        is_any = true;
        const Bytes usable{
            std::max<std::int64_t>(0, state.device.total.value - defaults.policy->safety.value)};
        largest = std::max(largest, usable);
    }
    if (spec.vram.value == 0 || defaults.devices.empty()) return;
    if (!is_any) {
        fields.fail("gpu", "vram_impossible",
                    "Class `" + class_name + "` may not use any GPU of this machine.",
                    "See classes." + class_name + ".gpus in the policy.");
    } else if (spec.vram > largest) {
        fields.fail("vram", "vram_impossible",
                    "The job asks for " + format_bytes(spec.vram) + "; the largest card it may use has " +
                        format_bytes(largest) + " after the safety margin of " +
                        format_bytes(defaults.policy->safety) + ".",
                    "Lower `vram`: no waiting would help.");
    }
}

}  // namespace nightshift::api
