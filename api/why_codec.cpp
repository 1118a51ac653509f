#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "api/job_codec.h"
#include "api/rfc3339.h"

namespace nightshift::api {
namespace {

using nlohmann::ordered_json;

ordered_json time_or_null(const std::optional<UnixMs>& at) {
    return at ? ordered_json(format_time(*at)) : ordered_json(nullptr);
}

/// All terms in bytes; they add up: available = max(0, capacity - safety - foreign - held - headroom).
ordered_json vram_detail(const VramTerms& terms) {
    ordered_json out;
    out["needed"] = terms.needed.value;
    out["capacity"] = terms.capacity.value;
    out["safety"] = terms.safety.value;
    out["foreign"] = terms.foreign.value;
    out["held"] = terms.held.value;
    out["headroom"] = terms.headroom.value;
    out["available"] = terms.available.value;
    out["device"] = terms.device;
    out["held_by"] = ordered_json::array();
    for (const auto& [job, bytes] : terms.held_by) {
        out["held_by"].push_back({{"job", job.value}, {"bytes", bytes.value}});
    }
    out["headroom_window"] =
        terms.headroom_window.empty() ? ordered_json(nullptr) : ordered_json(terms.headroom_window);
    return out;
}

ordered_json detail_of(const Gate& gate) {
    ordered_json out = gate.vram ? vram_detail(*gate.vram) : ordered_json::object();
    if (gate.opens_at) out["opens_at"] = format_time(*gate.opens_at);
    if (!gate.window.empty()) out["window"] = gate.window;
    if (!gate.jobs.empty()) {
        out["jobs"] = ordered_json::array();
        for (JobId job : gate.jobs) out["jobs"].push_back(job.value);
    }
    if (!gate.group.empty()) out["group"] = gate.group;
    if (gate.limit != 0 || gate.value != 0) {
        out["limit"] = gate.limit;
        out["value"] = gate.value;
    }
    return out;
}

/// When the gate closed this time: the start of its open span.
std::optional<UnixMs> since_of(const std::string& code, const std::vector<db::WaitSpan>& spans) {
    for (auto it = spans.rbegin(); it != spans.rend(); ++it) {
        if (it->reason == code && !it->to) return it->from;
    }
    return std::nullopt;
}

ordered_json counterfactual_object(const Counterfactual& change) {
    ordered_json out;
    out["action"] = change.action;
    out["effect"] = change.effect;
    out["cost"] = change.cost;
    if (!change.verb.empty()) out["verb"] = change.verb;
    if (change.subject) out["job"] = change.subject.value;
    if (change.vram) out["vram"] = change.vram->value;
    return out;
}

/// How long each gate was closed so far, the longest first. Gates overlap, so the sum may exceed the wait.
ordered_json sums_of(const std::vector<db::WaitSpan>& spans, UnixMs now) {
    std::map<std::string, Millis> sums;
    for (const db::WaitSpan& span : spans) {
        const Millis length = span.to.value_or(now) - span.from;
        sums[span.reason] = sums[span.reason] + std::max(length, Millis{});
    }
    std::vector<std::pair<std::string, Millis>> rows(sums.begin(), sums.end());
    std::stable_sort(rows.begin(), rows.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    ordered_json out = ordered_json::array();
    for (const auto& [code, length] : rows) {
        out.push_back({{"code", code}, {"seconds", static_cast<double>(length.value) / 1000.0}});
    }
    return out;
}

}  // namespace

ordered_json why_object(const Explanation& explanation, const Job& job, std::int64_t plan_seq,
                        const std::vector<db::WaitSpan>& spans, UnixMs now) {
    ordered_json out;
    out["job"] = job.id ? ordered_json(job.id.value) : ordered_json(nullptr);
    out["state"] = to_string(job.state);
    out["head_of_class"] = explanation.is_head_of_class;
    out["gates"] = ordered_json::array();
    for (const Gate& gate : explanation.gates) {
        ordered_json row;
        row["code"] = gate.code;
        row["since"] = time_or_null(since_of(gate.code, spans));
        row["text"] = gate.text;
        row["detail"] = detail_of(gate);
        out["gates"].push_back(std::move(row));
    }
    out["eta"] = {{"p50", time_or_null(explanation.eta.p50)},
                  {"p90", time_or_null(explanation.eta.p90)},
                  {"basis", explanation.eta.basis}};
    out["would_start_if"] = ordered_json::array();
    for (const Counterfactual& change : explanation.would_start_if) {
        out["would_start_if"].push_back(counterfactual_object(change));
    }
    out["would_move"] = ordered_json::array();
    for (const Move& move : explanation.would_move) {
        out["would_move"].push_back({{"job", move.job.value}, {"effect", move.effect}, {"text", move.text}});
    }
    out["so_far"] = sums_of(spans, now);
    out["history"] = ordered_json::array();
    for (const db::WaitSpan& span : spans) {
        out["history"].push_back(
            {{"code", span.reason}, {"from", format_time(span.from)}, {"to", time_or_null(span.to)}});
    }
    out["plan_seq"] = plan_seq;
    return out;
}

Result<ordered_json> why_of(Context& context, const Job& job) {
    std::vector<db::WaitSpan> spans;
    if (job.id) {
        auto found = context.queries.wait_spans(job.id);
        if (!found) return found.error();
        spans = std::move(*found);
    }
    if (job.state != JobState::kWaiting) {
        Explanation nothing;
        nothing.job = job.id;
        nothing.eta.basis = is_terminal(job.state) ? "The job has ended." : "The job has started.";
        if (const auto stuck = context.commands.why_stuck(job.id); stuck && is_live(job.state)) {
            Gate gate;
            gate.code = kStuckCode;
            gate.text = *stuck;
            nothing.gates.push_back(std::move(gate));
        }
        return why_object(nothing, job, context.commands.status().plan_seq, spans, context.commands.now());
    }
    const auto snapshot = context.commands.snapshot();
    if (!snapshot) return snapshot.error();
    const Explanation explanation =
        explain(*snapshot, job, context.commands.zones(), context.commands.now(), true);
    return why_object(explanation, job, snapshot->plan_seq, spans, context.commands.now());
}

}  // namespace nightshift::api
