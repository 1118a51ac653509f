#include <charconv>
#include <map>

#include "api/handlers/handlers.h"

namespace nightshift::api::handle {
namespace {

/// Text exposition format 0.0.4: label values with backslash, quote and line break escaped.
std::string label(const std::string& name, std::string_view value) {
    std::string out = name + "=\"";
    for (char c : value) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n')
            out += "\\n";
        else
            out += c;
    }
    return out + "\"";
}

class Exposition {
  public:
    void head(const std::string& name, const char* type, const char* help) {
        text_ += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
    }
    void sample(const std::string& name, const std::string& labels, double value) {
        // The shortest form that reads back as the same number.
        char number[64];
        const auto end = std::to_chars(number, number + sizeof number, value).ptr;
        text_ += name + (labels.empty() ? "" : "{" + labels + "}") + " " + std::string(number, end) + "\n";
    }
    std::string take() { return std::move(text_); }

  private:
    std::string text_;
};

void add_jobs(Exposition& out, Context& context) {
    const auto counts = context.queries.counts();
    if (!counts) return;
    out.head("nightshift_jobs", "gauge", "Jobs by state and kind.");
    for (const db::StateCount& row : *counts) {
        out.sample("nightshift_jobs", label("state", to_string(row.state)) + "," + label("kind", row.kind),
                   static_cast<double>(row.count));
    }
}

void add_devices(Exposition& out, Context& context) {
    out.head("nightshift_gpu_memory_bytes", "gauge",
             "Memory of a device: total, used, reserved by jobs, foreign.");
    std::map<std::string, Bytes> held;
    for (const Lease& lease : context.commands.leases()) held[lease.device] += lease.held();
    for (const DeviceState& state : context.commands.devices()) {
        const std::string gpu = label("gpu", state.device.uuid);
        const auto memory = [&](const char* kind, Bytes bytes) {
            out.sample("nightshift_gpu_memory_bytes", gpu + "," + label("kind", kind),
                       static_cast<double>(bytes.value));
        };
        memory("total", state.device.total);
        memory("reserved", held[state.device.uuid]);
        memory("foreign", state.foreign);
        if (state.sample) memory("used", state.sample->used);
    }
    const auto reading = [&](const char* name, const char* help, auto member) {
        out.head(name, "gauge", help);
        for (const DeviceState& state : context.commands.devices()) {
            if (!state.sample || !((*state.sample).*member)) continue;
            out.sample(name, label("gpu", state.device.uuid), *((*state.sample).*member));
        }
    };
    reading("nightshift_gpu_utilization_ratio", "Busy share of the device.", &DeviceSample::utilization);
    reading("nightshift_gpu_temperature_celsius", "Temperature of the device.", &DeviceSample::temperature_c);
    reading("nightshift_gpu_power_watts", "Power drawn by the device.", &DeviceSample::power_w);
}

void add_http(Exposition& out, const Context& context) {
    out.head("nightshift_http_requests_total", "counter", "Answered requests by route, method and status.");
    for (const auto& [key, count] : context.counters.requests) {
        const auto& [route, method, status] = key;
        out.sample("nightshift_http_requests_total",
                   label("route", route) + "," + label("method", method) + "," +
                       label("status", std::to_string(status)),
                   static_cast<double>(count));
    }
    out.head("nightshift_http_rejected_total", "counter", "Requests the gate refused, by reason.");
    for (const auto& [reason, count] : context.counters.rejected) {
        out.sample("nightshift_http_rejected_total", label("reason", reason), static_cast<double>(count));
    }
    out.head("nightshift_http_connections", "gauge", "Open connections.");
    out.sample("nightshift_http_connections", "", context.counters.connections);
    out.head("nightshift_sse_clients", "gauge", "Open event streams.");
    out.sample("nightshift_sse_clients", "", context.counters.sse_clients);
    out.head("nightshift_events_dropped_total", "counter", "Events left out for readers that were too slow.");
    out.sample("nightshift_events_dropped_total", "", static_cast<double>(context.counters.events_dropped));
}

void add_passes(Exposition& out, const ServerStatus& status) {
    out.head("nightshift_commits_total", "counter", "Transactions that changed something or looked.");
    out.sample("nightshift_commits_total", "", static_cast<double>(status.commits));
    out.head("nightshift_plan_seconds", "summary", "Time of a planning pass, reading and writing included.");
    out.sample("nightshift_plan_seconds_sum", "", status.passes.seconds_sum);
    out.sample("nightshift_plan_seconds_count", "", static_cast<double>(status.passes.made));
    out.head("nightshift_plan_last_seconds", "gauge", "Time of the newest planning pass.");
    out.sample("nightshift_plan_last_seconds", "", status.passes.seconds_last);
    out.head("nightshift_plan_skipped_total", "counter", "Ticks in which there was nothing new to plan.");
    out.sample("nightshift_plan_skipped_total", "", static_cast<double>(status.passes.skipped));
}

void add_windows(Exposition& out, Context& context) {
    out.head("nightshift_window_open", "gauge", "1 while a window of the policy is open.");
    for (const Window& window : context.commands.policy().windows) {
        out.sample("nightshift_window_open", label("window", window.name),
                   is_open(window, context.commands.zones(), context.commands.now()) ? 1 : 0);
    }
}

}  // namespace

void metrics(Context& context, const RequestPtr&, Respond respond) {
    const ServerStatus status = context.commands.status();
    Exposition out;
    out.head("nightshift_build_info", "gauge", "1, with the version as its label.");
    out.sample("nightshift_build_info", label("version", status.version), 1);
    add_jobs(out, context);
    add_devices(out, context);
    add_windows(out, context);
    out.head("nightshift_db_fsync_seconds", "gauge", "Time of the newest commit, fsync included.");
    out.sample("nightshift_db_fsync_seconds", "", static_cast<double>(status.last_commit.value) / 1000.0);
    add_passes(out, status);
    add_http(out, context);
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = out.take();
    respond(std::move(response));
}

}  // namespace nightshift::api::handle
