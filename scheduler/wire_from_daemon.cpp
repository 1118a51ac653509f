#include <variant>

#include <nlohmann/json.hpp>

#include "scheduler/wire.h"
#include "scheduler/wire_line.h"
#include "scheduler/wire_parts.h"

namespace nightshift::wire {
namespace {

Json to_json(const Start& start) {
    Json env = Json::array();
    for (const auto& [name, value] : start.env) env.push_back(Json::array({name, value}));
    Json inputs = Json::array();
    for (const Input& input : start.inputs) {
        inputs.push_back({{"job", input.job.value}, {"folder", input.folder}});
    }
    return {{"type", "start"},
            {"job", start.attempt.job.value},
            {"attempt", start.attempt.number},
            {"kind", start.kind},
            {"params", start.params_json},
            {"command", start.command},
            {"cwd", start.cwd},
            {"env", std::move(env)},
            {"checkpoint", to_string(start.checkpoint)},
            {"folder", start.folder},
            {"resume_folder", start.resume_folder},
            {"cache_folder", start.cache_folder},
            {"inputs", std::move(inputs)},
            {"vram", start.vram.value},
            {"device", start.device},
            {"is_simulated", start.is_simulated},
            {"threads", start.threads},
            {"log_max", start.log_max.value},
            {"processes_max", start.processes_max}};
}

Json to_json(const Welcome&) {
    return {{"type", "welcome"}};
}

Json to_json(const YieldRequest& request) {
    return {{"type", "yield"},
            {"grace_ms", request.grace.value},
            {"reason", cut(request.reason, kWireTextBytesMax)}};
}

Json to_json(const CancelRequest& request) {
    return {{"type", "cancel"},
            {"grace_ms", request.grace.value},
            {"reason", cut(request.reason, kWireTextBytesMax)}};
}

Json to_json(const Ping& ping) {
    return {{"type", "ping"}, {"n", ping.n}};
}
Json to_json(const Refuse& refuse) {
    return {{"type", "refuse"}, {"reason", cut(refuse.reason, kWireTextBytesMax)}};
}
Json to_json(const Bye&) {
    return {{"type", "bye"}};
}

void read_start_lists(Fields& fields, Start& start) {
    if (const Json* command = fields.array("command")) {
        for (const Json& word : *command) {
            if (!word.is_string()) return fields.fail_field("command", "has a word that is not a string");
            start.command.push_back(word.get<std::string>());
        }
    }
    if (const Json* env = fields.array("env")) {
        for (const Json& pair : *env) {
            const bool is_pair =
                pair.is_array() && pair.size() == 2 && pair[0].is_string() && pair[1].is_string();
            if (!is_pair) return fields.fail_field("env", "has an entry that is not [name, value]");
            start.env.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
        }
    }
    if (const Json* inputs = fields.array("inputs")) {
        for (const Json& item : *inputs) {
            Fields inner(item, "start.inputs");
            start.inputs.push_back(Input{JobId{inner.integer("job")}, inner.text("folder")});
            fields.take_over(inner);
        }
    }
}

FromDaemon read_start(Fields& fields) {
    Start start;
    start.attempt.job.value = fields.integer("job");
    start.attempt.number = fields.small_integer("attempt");
    start.kind = fields.text("kind");
    start.params_json = fields.text("params");
    start.cwd = fields.text("cwd", false);
    const std::string mode = fields.text("checkpoint");
    if (const auto parsed = parse_checkpoint_mode(mode)) {
        start.checkpoint = *parsed;
    } else {
        fields.fail_field("checkpoint", "has no meaning here");
    }
    start.folder = fields.text("folder");
    start.resume_folder = fields.text("resume_folder", false);
    start.cache_folder = fields.text("cache_folder", false);
    start.vram.value = fields.integer("vram", false);
    start.device = fields.text("device", false);
    start.is_simulated = fields.flag("is_simulated");
    start.threads = fields.small_integer("threads", false);
    start.log_max.value = fields.integer("log_max", false);
    start.processes_max = fields.small_integer("processes_max", false);
    read_start_lists(fields, start);
    return start;
}

template <typename Request>
FromDaemon read_request(Fields& fields) {
    return Request{Millis{fields.integer("grace_ms")}, fields.text("reason", false)};
}

constexpr Reader<FromDaemon> kDaemonReaders[] = {
    {"start", read_start},
    {"welcome", [](Fields&) -> FromDaemon { return Welcome{}; }},
    {"yield", read_request<YieldRequest>},
    {"cancel", read_request<CancelRequest>},
    {"ping", [](Fields& fields) -> FromDaemon { return Ping{fields.integer("n")}; }},
    {"refuse", [](Fields& fields) -> FromDaemon { return Refuse{fields.text("reason", false)}; }},
    {"bye", [](Fields&) -> FromDaemon { return Bye{}; }},
};

}  // namespace

std::string encode(const FromDaemon& message) {
    return line_of(std::visit([](const auto& concrete) { return to_json(concrete); }, message));
}

Result<std::optional<FromDaemon>> decode_from_daemon(std::string_view line) {
    return decode<FromDaemon>(line, kWireStartBytesMax, kDaemonReaders);
}

}  // namespace nightshift::wire
