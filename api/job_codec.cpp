#include "api/job_codec.h"

#include <nlohmann/json.hpp>

#include "api/rfc3339.h"
#include "scheduler/learned.h"

namespace nightshift::api {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kJobFields = 48;  ///< or a few less

ordered_json time_or_null(const std::optional<UnixMs>& at) {
    return at ? ordered_json(format_time(*at)) : ordered_json(nullptr);
}

ordered_json text_or_null(const std::string& text) {
    return text.empty() ? ordered_json(nullptr) : ordered_json(text);
}

/// Whole seconds as an integer, others with their fraction.
ordered_json seconds_of(Millis duration) {
    if (duration.value % 1000 == 0) return duration.value / 1000;
    return static_cast<double>(duration.value) / 1000.0;
}

ordered_json outcome_object(const Outcome& outcome) {
    ordered_json out;
    out["code"] = outcome.code;
    out["message"] = outcome.message;
    out["exit_code"] = outcome.exit_code ? ordered_json(*outcome.exit_code) : ordered_json(nullptr);
    out["signal"] = outcome.signal ? ordered_json(*outcome.signal) : ordered_json(nullptr);
    out["cached"] = outcome.cached;
    return out;
}

std::optional<WaitReason> first_gate(const Explanation& explanation) {
    if (explanation.gates.empty()) return std::nullopt;
    return WaitReason{explanation.gates.front().code, explanation.gates.front().text};
}

/// When the live attempt's process was confirmed, by the wall clock that holds now; with run_time this is the
/// whole run time.
std::optional<UnixMs> running_since(Context& context, const Job& job) {
    if (!is_live(job.state)) return std::nullopt;
    if (const auto ran = context.commands.ran(job.id)) return context.commands.now() - *ran;
    const auto attempts = context.queries.attempts(job.id);
    if (!attempts || attempts->empty()) return std::nullopt;
    return attempts->back().running_at;
}

void add_spec(ordered_json& out, const Job& job) {
    const JobSpec& spec = job.spec;
    out["priority"] = spec.priority;
    auto params = ordered_json::parse(spec.params_json, nullptr, false);
    out["params"] = params.is_object() ? std::move(params) : ordered_json::object();
    out["command"] = spec.command.empty() ? ordered_json(nullptr) : ordered_json(spec.command);
    out["cwd"] = text_or_null(spec.cwd);
    out["gpu"] = text_or_null(spec.gpu);
    out["vram"] = spec.vram.value;
    out["ram"] = spec.ram.value;
    out["cpu"] = spec.cpu;
    out["window"] = text_or_null(spec.window);
    out["not_before"] = time_or_null(spec.not_before);
    out["start_deadline"] = time_or_null(spec.start_deadline);
    out["time_limit"] = spec.time_limit ? seconds_of(*spec.time_limit) : ordered_json(nullptr);
    out["preemptible"] = spec.preemptible;
    out["checkpoint"] = to_string(spec.checkpoint);
    out["at_window_end"] =
        spec.at_window_end ? ordered_json(to_string(*spec.at_window_end)) : ordered_json(nullptr);
}

/// From the peaks of earlier runs with the same parameters; null while there are too few.
ordered_json suggested_vram(Context& context, const JobSpec& spec) {
    const auto stats = context.commands.run_stats();
    const auto bytes = stats ? suggested_budget(spec, *stats) : std::nullopt;
    return bytes ? ordered_json(bytes->value) : ordered_json(nullptr);
}

}  // namespace

bool WaitReasons::load() {
    if (is_tried_) return queue_ != nullptr;
    is_tried_ = true;
    const TimeZones& zones = context_.commands.zones();
    const UnixMs now = context_.commands.now();
    queue_ = context_.commands.planned();
    if (!queue_) {
        auto snapshot = context_.commands.snapshot();
        if (!snapshot) return false;
        queue_ = std::make_shared<PlannedQueue>(std::move(*snapshot), zones, now);
    }
    return true;
}

std::optional<WaitReason> WaitReasons::of(const Job& job) {
    if (is_live(job.state)) {
        const auto stuck = context_.commands.why_stuck(job.id);
        return stuck ? std::optional(WaitReason{kStuckCode, *stuck}) : std::nullopt;
    }
    if (job.state != JobState::kWaiting || !load()) return std::nullopt;
    if (!job.id) {
        return first_gate(
            explain(queue_->snapshot(), job, context_.commands.zones(), context_.commands.now(), false));
    }
    for (const Explanation& explanation : queue_->plan().waiting) {
        if (explanation.job == job.id) return first_gate(explanation);
    }
    for (const Start& start : queue_->plan().starts) {
        if (start.job == job.id) return std::nullopt;
    }
    const auto gate = queue_->rest().gate_of(job);
    if (!gate) return std::nullopt;
    return WaitReason{gate->code, gate->text};
}

ordered_json progress_object(const Progress& progress) {
    ordered_json out;
    out["phase"] = progress.phase;
    out["step"] = progress.step;
    out["steps"] = progress.steps;
    out["eta_s"] = progress.eta ? seconds_of(*progress.eta) : ordered_json(nullptr);
    out["metrics"] = ordered_json::object();
    for (const auto& [name, value] : progress.metrics) out["metrics"][name] = value;
    return out;
}

ordered_json stored_event_object(const db::StoredEvent& event) {
    ordered_json row;
    row["seq"] = event.seq.value;
    row["at"] = format_time(event.at);
    row["topic"] = event.topic;
    row["kind"] = event.kind;
    row["attempt"] = event.attempt;
    row["actor"] = event.actor;
    auto data = ordered_json::parse(event.data_json, nullptr, false);
    row["data"] = data.is_discarded() ? ordered_json::object() : std::move(data);
    return row;
}

ordered_json job_object(Context& context, const Job& job, WaitReasons& reasons) {
    ordered_json out = ordered_json::object();
    // Without it, growing copies the keys again and again.
    out.get_ref<ordered_json::object_t&>().reserve(kJobFields);
    out["id"] = job.id ? ordered_json(job.id.value) : ordered_json(nullptr);
    out["name"] = job.spec.name;
    out["kind"] = job.spec.kind;
    out["class"] = to_string(job.spec.job_class);
    out["state"] = to_string(job.state);
    out["held"] = job.held;
    add_spec(out, job);
    out["created_at"] = format_time(job.created_at);
    out["started_at"] = time_or_null(job.started_at);
    out["ended_at"] = time_or_null(job.ended_at);
    out["attempt"] = job.attempt;
    out["preemptions"] = job.preemptions;
    out["retries"] = job.spec.retries;
    out["retries_left"] = job.retries_left;
    std::optional<Progress> progress;
    if (is_live(job.state)) progress = context.commands.progress(job.id);
    if (!progress) progress = job.progress;
    out["progress"] = progress ? progress_object(*progress) : ordered_json(nullptr);
    out["outcome"] = job.outcome ? outcome_object(*job.outcome) : ordered_json(nullptr);
    out["after"] = ordered_json::array();
    for (const Dependency& on : job.spec.after) {
        out["after"].push_back({{"job", on.on.value}, {"on", to_string(on.kind)}});
    }
    out["labels"] = ordered_json::object();
    for (const auto& [name, value] : job.spec.labels) out["labels"][name] = value;
    const auto waiting = reasons.of(job);
    out["waiting"] = nullptr;
    if (waiting) out["waiting"] = {{"code", waiting->code}, {"text", waiting->text}};
    out["schedule"] = text_or_null(job.schedule);
    out["rerun_of"] = job.rerun_of ? ordered_json(job.rerun_of.value) : ordered_json(nullptr);
    out["run_time"] = seconds_of(job.run_time);
    out["running_since"] = time_or_null(running_since(context, job));
    out["peak_vram"] = job.peak_vram.value;
    out["suggested_vram"] = suggested_vram(context, job.spec);
    out["version"] = job.version;
    return out;
}

}  // namespace nightshift::api
