#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "api/params_check.h"
#include "api/rfc3339.h"
#include "api/strict_json.h"
#include "api/submit_codec.h"

namespace nightshift::api {
namespace {

using nlohmann::json;

constexpr std::size_t kChainMax = 256;

/// Places of the list that a submit refers to, in params or in `after`.
void collect(const json& value, std::set<std::size_t>& places) {
    if (value.is_structured()) {
        for (const json& member : value) collect(member, places);
    } else if (value.is_string()) {
        if (const auto place = parse_chain_reference(value.get_ref<const std::string&>()))
            places.insert(*place);
    }
}

std::set<std::size_t> references_of(const json& submit) {
    std::set<std::size_t> places;
    if (!submit.is_object()) return places;
    for (const char* name : {"params", "after"}) {
        if (submit.contains(name)) collect(submit[name], places);
    }
    return places;
}

Error chain_error(std::string reason, std::string message, std::string hint, std::string pointer) {
    return {ErrorCode::kInvalidArgument, std::move(reason), std::move(message), std::move(hint),
            std::move(pointer)};
}

}  // namespace

Result<Chain> parse_chain(std::string_view jobs_json) {
    const auto document = parse_json(jobs_json);
    if (!document) return document.error();
    if (!document->is_array() || document->empty() || document->size() > kChainMax) {
        return chain_error("wrong_type", "`jobs` has to be a list of 1 to 256 submits.",
                           "Write [{\"kind\": ...}].", "/jobs");
    }
    Chain chain;
    std::vector<std::set<std::size_t>> open;
    for (const json& submit : *document) {
        const std::string pointer = "/jobs/" + std::to_string(chain.texts.size());
        chain.texts.push_back(dump_json(submit));
        open.push_back(references_of(submit));
        if (!open.back().empty() && *open.back().rbegin() >= document->size()) {
            return chain_error(
                "unknown_dependency",
                "\"job:#" + std::to_string(*open.back().rbegin()) + "\" is beyond the end of the list.",
                "Count from 0.", pointer);
        }
    }
    // Smallest place first among those whose references are all placed: stable and easy to foresee.
    std::vector<bool> is_placed(open.size(), false);
    while (chain.order.size() < open.size()) {
        const auto is_ready = [&](std::size_t place) {
            return !is_placed[place] && std::all_of(open[place].begin(), open[place].end(),
                                                    [&](std::size_t parent) { return is_placed[parent]; });
        };
        std::size_t next = 0;
        while (next < open.size() && !is_ready(next)) ++next;
        if (next == open.size()) {
            const auto stuck = std::find(is_placed.begin(), is_placed.end(), false) - is_placed.begin();
            return chain_error("circular_dependency",
                               "The jobs of the list wait for one another in a circle.",
                               "Remove one of the \"job:#n\" references.", "/jobs/" + std::to_string(stuck));
        }
        is_placed[next] = true;
        chain.order.push_back(next);
    }
    return chain;
}

json submit_of(const JobSpec& spec) {
    json out = {{"kind", spec.kind},
                {"name", spec.name},
                {"class", to_string(spec.job_class)},
                {"params", json::parse(spec.params_json, nullptr, false)},
                {"vram", spec.vram.value},
                {"ram", spec.ram.value},
                {"cpu", spec.cpu},
                {"priority", spec.priority},
                {"retries", spec.retries},
                {"preemptible", spec.preemptible},
                {"checkpoint", to_string(spec.checkpoint)},
                {"hold", spec.hold}};
    if (!out["params"].is_object()) out["params"] = json::object();
    if (!spec.command.empty()) out["command"] = spec.command;
    if (!spec.cwd.empty()) out["cwd"] = spec.cwd;
    if (!spec.env.empty()) out["env"] = json::object();
    for (const auto& [name, value] : spec.env) out["env"][name] = value;
    if (!spec.gpu.empty()) out["gpu"] = spec.gpu;
    if (!spec.window.empty()) out["window"] = spec.window;
    if (spec.at_window_end) out["at_window_end"] = to_string(*spec.at_window_end);
    if (spec.not_before) out["not_before"] = format_time(*spec.not_before);
    if (spec.start_deadline) out["start_deadline"] = format_time(*spec.start_deadline);
    if (spec.time_limit) out["time_limit"] = std::to_string(spec.time_limit->value) + "ms";
    out["after"] = json::array();
    for (const Dependency& on : spec.after)
        out["after"].push_back({{"job", on.on.value}, {"on", to_string(on.kind)}});
    out["labels"] = json::object();
    for (const auto& [name, value] : spec.labels) out["labels"][name] = value;
    return out;
}

}  // namespace nightshift::api
