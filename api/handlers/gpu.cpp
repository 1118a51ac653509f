#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/device_codec.h"
#include "api/handlers/handlers.h"
#include "api/rfc3339.h"

namespace nightshift::api::handle {
namespace {

using nlohmann::ordered_json;

constexpr Millis kHistoryDefault = hours(1);

template <typename T>
ordered_json value_or_null(const std::optional<T>& value) {
    return value ? ordered_json(*value) : ordered_json(nullptr);
}

/// The device of `device=` (UUID or index), else the first.
Result<std::string> device_of(Context& context, const Request& request) {
    const std::vector<DeviceState> devices = context.commands.devices();
    const std::string* wanted = request.query_value("device");
    for (const DeviceState& state : devices) {
        const bool is_it = wanted == nullptr || *wanted == state.device.uuid ||
                           *wanted == std::to_string(state.device.index);
        if (is_it) return state.device.uuid;
    }
    return Error{ErrorCode::kNotFound, "no_such_gpu", "There is no such GPU.", "GET /api/v1/gpu lists them.",
                 ""};
}

}  // namespace

void gpu(Context& context, const RequestPtr&, Respond respond) {
    const std::vector<Lease> leases = context.commands.leases();
    ordered_json body;
    body["devices"] = ordered_json::array();
    for (const DeviceState& state : context.commands.devices()) {
        body["devices"].push_back(device_object(context, state, leases));
    }
    respond(json_answer(body));
}

void gpu_history(Context& context, const RequestPtr& request, Respond respond) {
    if (auto known = check_query(*request, {"device", "since", "max_points"}); !known) {
        return respond(error_answer(*request, known.error()));
    }
    const auto device = device_of(context, *request);
    if (!device) return respond(error_answer(*request, device.error()));
    const auto max = query_integer(*request, "max_points", 1000, 2, 20'000);
    if (!max) return respond(error_answer(*request, max.error()));
    UnixMs since = context.commands.now() + Millis{-kHistoryDefault.value};
    if (const std::string* text = request->query_value("since")) {
        const auto at = parse_time(*text);
        const auto ago = parse_duration(*text);
        if (!at && !ago) {
            return respond(
                error_answer(*request, Error{ErrorCode::kInvalidArgument, "bad_query", "`since` is no time.",
                                             "Write since=6h or since=2026-11-21T06:00:00Z.", ""}));
        }
        since = at ? *at : context.commands.now() + Millis{-ago->value};
    }
    const std::vector<DeviceSample> samples = context.commands.history(*device, since);
    const std::size_t stride = std::max<std::size_t>(
        1, (samples.size() + static_cast<std::size_t>(*max) - 1) / static_cast<std::size_t>(*max));
    ordered_json body;
    body["device"] = *device;
    body["samples"] = ordered_json::array();
    for (std::size_t i = 0; i < samples.size(); i += stride) {
        const DeviceSample& sample = samples[i];
        ordered_json row;
        row["at"] = format_time(sample.at);
        row["used"] = sample.used.value;
        row["utilization"] = value_or_null(sample.utilization);
        row["temperature_c"] = value_or_null(sample.temperature_c);
        row["power_w"] = value_or_null(sample.power_w);
        body["samples"].push_back(std::move(row));
    }
    respond(json_answer(body));
}

}  // namespace nightshift::api::handle
