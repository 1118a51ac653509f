#include <map>

#include <nlohmann/json.hpp>

#include "api/device_codec.h"
#include "api/handlers/handlers.h"
#include "api/openapi_document.h"
#include "api/rfc3339.h"
#include "scheduler/learned.h"
#include "web/assets.h"

namespace nightshift::api::handle {
namespace {

using nlohmann::ordered_json;

ordered_json time_or_null(const std::optional<UnixMs>& at) {
    return at ? ordered_json(format_time(*at)) : ordered_json(nullptr);
}

ordered_json windows_object(Context& context) {
    auto out = ordered_json::array();
    const TimeZones& zones = context.commands.zones();
    const UnixMs now = context.commands.now();
    for (const Window& window : context.commands.policy().windows) {
        const bool is_open_now = is_open(window, zones, now);
        ordered_json row;
        row["name"] = window.name;
        row["timezone"] = window.timezone.empty() ? ordered_json(nullptr) : ordered_json(window.timezone);
        row["open"] = is_open_now;
        row["changes_at"] =
            time_or_null(is_open_now ? close_of(window, zones, now) : next_open(window, zones, now));
        out.push_back(std::move(row));
    }
    return out;
}

Result<ordered_json> counts_object(Context& context) {
    const auto counts = context.queries.counts();
    if (!counts) return counts.error();
    std::map<std::string, std::int64_t> by_state;
    for (const db::StateCount& row : *counts) by_state[std::string(to_string(row.state))] += row.count;
    ordered_json out = ordered_json::object();
    for (const auto& [state, count] : by_state) out[state] = count;
    return out;
}

ordered_json queue_object(const Snapshot& snapshot) {
    ordered_json queue;
    queue["paused"] = snapshot.is_paused;
    queue["reason"] = snapshot.pause_reason;
    queue["until"] = time_or_null(snapshot.pause_until);
    queue["draining"] = snapshot.is_draining;
    queue["waiting"] = ordered_json::object();
    for (JobClass job_class : kJobClasses) {
        queue["waiting"][std::string(to_string(job_class))] =
            snapshot.waiting_count[static_cast<std::size_t>(job_class)];
    }
    return queue;
}

std::vector<Lease> leases_of(const Snapshot& snapshot) {
    std::vector<Lease> leases = snapshot.reclaiming;
    for (const LiveJob& live : snapshot.live) leases.push_back(live.lease);
    return leases;
}

ordered_json seconds_of(Millis time) {
    return static_cast<double>(time.value) / 1000.0;
}

/// What the newest runs of a kind took, all parameters together, and how many groups of equal parameters
/// a job can be compared with.
ordered_json learned_object(const std::vector<KindStats>& stats, const std::string& kind) {
    ordered_json out = nullptr;
    std::int64_t groups = 0;
    for (const KindStats& of : stats) {
        if (of.kind != kind) continue;
        if (!of.group.empty()) {
            groups += of.runs >= kLearnedRunsMin;
            continue;
        }
        const auto suggested = suggested_budget(of);
        out = {{"runs", of.runs},
               {"run_time_p50", seconds_of(of.run_time_p50)},
               {"run_time_p90", seconds_of(of.run_time_p90)},
               {"peak_vram", of.peak_vram_max.value},
               {"suggested_vram", suggested ? ordered_json(suggested->value) : ordered_json(nullptr)}};
    }
    if (!out.is_null()) out["groups"] = groups;
    return out;
}

}  // namespace

void status(Context& context, const RequestPtr& request, Respond respond) {
    const ServerStatus server = context.commands.status();
    auto counts = counts_object(context);
    const bool is_rescue = server.storage == "rescue";
    if (!counts && !is_rescue) return respond(error_answer(*request, counts.error()));
    const auto snapshot = context.commands.snapshot();
    if (!snapshot) return respond(error_answer(*request, snapshot.error()));
    const auto last = context.queries.last_event();
    ordered_json body;
    body["version"] = server.version;
    body["pid"] = server.pid;
    body["role"] = to_string(request->caller.role);
    body["now"] = format_time(context.commands.now());
    body["started_at"] = format_time(server.started_at);
    body["data_folder"] = server.data_folder;
    body["ready"] = server.is_ready;
    body["not_ready_reason"] =
        server.is_ready ? ordered_json(nullptr) : ordered_json(server.not_ready_reason);
    body["storage"]["state"] = server.storage;
    body["storage"]["text"] = server.storage_text;
    body["simulated"] = server.is_simulated;
    body["queue"] = queue_object(*snapshot);
    body["counts"] = counts ? std::move(*counts) : ordered_json(nullptr);
    body["devices"] = ordered_json::array();
    const std::vector<Lease> leases = leases_of(*snapshot);
    for (const DeviceState& state : context.commands.devices()) {
        body["devices"].push_back(device_object(context, state, leases));
    }
    body["windows"] = windows_object(context);
    body["plan_seq"] = server.plan_seq;
    body["last_event"] = last ? ordered_json(last->value) : ordered_json(nullptr);
    body["last_commit_ms"] = server.last_commit.value;
    body["connections"] = context.counters.connections;
    body["rejected"] = context.counters.rejected_total;
    respond(json_answer(body));
}

void kinds(Context& context, const RequestPtr&, Respond respond) {
    ordered_json body;
    body["kinds"] = ordered_json::array();
    const auto stats = context.commands.run_stats();
    for (const KindInfo& kind : context.commands.kinds()) {
        auto row = ordered_json::parse(kind.raw_json, nullptr, false);
        if (!row.is_object()) {
            row = ordered_json::object();
            row["name"] = kind.name;
            row["class"] = to_string(kind.job_class);
            row["vram"] = kind.vram.value;
            row["ram"] = kind.ram.value;
            row["cpu"] = kind.cpu;
            row["checkpoint"] = to_string(kind.checkpoint);
            auto schema = ordered_json::parse(kind.params_schema_json, nullptr, false);
            row["params"] = schema.is_object() ? std::move(schema) : ordered_json::object();
        }
        row["learned"] = stats ? learned_object(*stats, kind.name) : ordered_json(nullptr);
        body["kinds"].push_back(std::move(row));
    }
    respond(json_answer(body));
}

void openapi(Context&, const RequestPtr& request, Respond respond) {
    Response response;
    if (const web::Asset* document = openapi_file("/openapi.json")) {
        response.body = std::string(document->bytes);
        response.headers.emplace_back("ETag", std::string(document->etag));
        return respond(std::move(response));
    }
    respond(error_answer(
        *request, Error{ErrorCode::kInternal, "internal", "The document is not in this build.", "", ""}));
}

}  // namespace nightshift::api::handle
