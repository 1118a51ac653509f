#include "api/device_codec.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/rfc3339.h"

namespace nightshift::api {
namespace {

using nlohmann::ordered_json;

template <typename T>
ordered_json value_or_null(const std::optional<T>& value) {
    return value ? ordered_json(*value) : ordered_json(nullptr);
}

void add_sample(ordered_json& out, const std::optional<DeviceSample>& sample) {
    const DeviceSample none;
    const DeviceSample& shown = sample ? *sample : none;
    out["used"] = sample ? ordered_json(shown.used.value) : ordered_json(nullptr);
    out["sampled_at"] = sample ? ordered_json(format_time(shown.at)) : ordered_json(nullptr);
    out["utilization"] = value_or_null(shown.utilization);
    out["temperature_c"] = value_or_null(shown.temperature_c);
    out["power_w"] = value_or_null(shown.power_w);
    out["power_limit_w"] = value_or_null(shown.power_limit_w);
    out["throttle"] = value_or_null(shown.throttle);
    out["is_healthy"] = shown.is_healthy;
    out["fault"] = shown.fault.empty() ? ordered_json(nullptr) : ordered_json(shown.fault);
}

ordered_json lease_object(Context& context, const Lease& lease) {
    ordered_json row;
    row["job"] = lease.attempt.job.value;
    row["attempt"] = lease.attempt.number;
    if (const auto job = context.queries.job(lease.attempt.job); job && *job) {
        row["name"] = (*job)->spec.name;
        row["class"] = to_string((*job)->spec.job_class);
        row["state"] = to_string((*job)->state);
    }
    row["budget"] = lease.budget.value;
    row["used"] = lease.used.value;
    row["peak"] = lease.peak.value;
    row["held"] = lease.held().value;
    row["grade"] = to_string(lease.grade);
    row["is_reclaiming"] = lease.is_reclaiming;
    return row;
}

}  // namespace

Bytes headroom_now(const Policy& policy, const TimeZones& zones, UnixMs now) {
    for (const Headroom& entry : policy.of(JobClass::kInference).headroom) {
        const Window* window = entry.window.empty() ? nullptr : policy.find_window(entry.window);
        if (entry.window.empty() || (window != nullptr && is_open(*window, zones, now))) return entry.vram;
    }
    return {};
}

ordered_json device_object(Context& context, const DeviceState& state, const std::vector<Lease>& leases) {
    const Device& device = state.device;
    const Policy& policy = context.commands.policy();
    ordered_json out;
    out["uuid"] = device.uuid;
    out["index"] = device.index;
    out["name"] = device.name;
    out["driver"] = device.driver.empty() ? ordered_json(nullptr) : ordered_json(device.driver);
    out["is_simulated"] = device.is_simulated;
    out["is_host"] = device.is_host;
    Bytes held;
    auto rows = ordered_json::array();
    for (const Lease& lease : leases) {
        if (lease.device != device.uuid) continue;
        held += lease.held();
        rows.push_back(lease_object(context, lease));
    }
    const std::int64_t taken = policy.safety.value + state.foreign.value + held.value;
    out["total"] = device.total.value;
    out["safety"] = policy.safety.value;
    out["foreign"] = state.foreign.value;
    out["held"] = held.value;
    out["free"] = std::max<std::int64_t>(0, device.total.value - taken);
    out["headroom"] = headroom_now(policy, context.commands.zones(), context.commands.now()).value;
    add_sample(out, state.sample);
    out["foreign_programs"] = ordered_json::array();
    for (const auto& [name, bytes] : state.foreign_programs) {
        out["foreign_programs"].push_back({{"name", name}, {"bytes", bytes.value}});
    }
    out["leases"] = std::move(rows);
    return out;
}

}  // namespace nightshift::api
