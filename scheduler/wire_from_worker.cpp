#include <limits>
#include <variant>

#include <nlohmann/json.hpp>

#include "scheduler/wire.h"
#include "scheduler/wire_line.h"
#include "scheduler/wire_parts.h"

namespace nightshift::wire {
namespace {

Json to_json(const Hello& hello) {
    Json json{{"type", "hello"},
              {"protocol", hello.protocol},
              {"job", hello.attempt.job.value},
              {"attempt", hello.attempt.number},
              {"token", hello.token},
              {"worker", identity_json(hello.worker)},
              {"is_started", hello.is_started}};
    if (hello.command) json["command"] = identity_json(*hello.command);
    json["build"] = cut(hello.build, kWireKeyBytesMax);
    return json;
}

Json to_json(const Started& started) {
    Json json{{"type", "started"}, {"grade", to_string(started.grade)}};
    if (started.command) json["command"] = identity_json(*started.command);
    if (started.ran.value > 0) json["ran_ms"] = started.ran.value;
    return json;
}

Json to_json(const ProgressReport& report) {
    const Progress& progress = report.progress;
    Json json{{"type", "progress"},
              {"phase", cut(progress.phase, kWireKeyBytesMax)},
              {"step", progress.step},
              {"steps", progress.steps}};
    if (progress.eta) json["eta_ms"] = progress.eta->value;
    Json metrics = Json::array();
    for (const auto& [name, value] : progress.metrics) {
        if (metrics.size() == kWireMetricsMax) break;
        metrics.push_back(Json::array({cut(name, kWireKeyBytesMax), value}));
    }
    if (!metrics.empty()) json["metrics"] = std::move(metrics);
    return json;
}

Json to_json(const MemoryReport& report) {
    return {{"type", "memory"}, {"used", report.used.value}, {"peak", report.peak.value}};
}

Json to_json(const CheckpointCommitted& committed) {
    return {{"type", "checkpoint"}, {"checkpoint", checkpoint_json(committed.checkpoint)}};
}

Json to_json(const CheckpointRefused& refused) {
    return {{"type", "checkpoint_refused"},
            {"path", cut(refused.path, kWireTextBytesMax)},
            {"reason", cut(refused.reason, kWireTextBytesMax)}};
}

Json to_json(const Done& done) {
    Json json{{"type", "done"}};
    write_done(json, done);
    return json;
}

Json to_json(const Pong& pong) {
    return {{"type", "pong"}, {"n", pong.n}};
}

FromWorker read_hello(Fields& fields) {
    Hello hello;
    hello.protocol = fields.small_integer("protocol");
    hello.attempt.job.value = fields.integer("job");
    hello.attempt.number = fields.small_integer("attempt");
    hello.token = fields.text("token");
    if (const auto worker = read_identity(fields, "worker")) {
        hello.worker = *worker;
    } else {
        fields.fail_field("worker", "is missing");
    }
    hello.is_started = fields.flag("is_started");
    hello.command = read_identity(fields, "command");
    hello.build = fields.text("build", false);
    return hello;
}

FromWorker read_started(Fields& fields) {
    Started started;
    started.command = read_identity(fields, "command");
    const std::string name = fields.text("grade");
    if (const auto grade = parse_enforcement_grade(name)) {
        started.grade = *grade;
    } else {
        fields.fail_field("grade", "has no meaning here");
    }
    started.ran.value = fields.integer("ran_ms", false);
    return started;
}

FromWorker read_progress(Fields& fields) {
    ProgressReport report;
    report.progress.phase = fields.text("phase", false);
    report.progress.step = fields.integer("step");
    report.progress.steps = fields.integer("steps", false);
    if (fields.has("eta_ms")) report.progress.eta = Millis{fields.integer("eta_ms")};
    if (const Json* metrics = fields.array("metrics")) {
        if (metrics->size() > kWireMetricsMax) fields.fail_field("metrics", "has more than 16 entries");
        for (const Json& pair : *metrics) {
            const bool is_pair = pair.is_array() && pair.size() == 2 && pair[0].is_string() &&
                                 (pair[1].is_number() || pair[1].is_null());
            if (!is_pair) {
                fields.fail_field("metrics", "has an entry that is not [name, number]");
                break;
            }
            // JSON has no NaN; a diverged loss travels as null.
            constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
            const double value = pair[1].is_null() ? kNan : pair[1].get<double>();
            report.progress.metrics.emplace_back(pair[0].get<std::string>(), value);
        }
    }
    return report;
}

FromWorker read_memory(Fields& fields) {
    return MemoryReport{Bytes{fields.integer("used")}, Bytes{fields.integer("peak")}};
}

FromWorker read_committed(Fields& fields) {
    CheckpointCommitted committed;
    if (auto checkpoint = read_checkpoint(fields, "checkpoint")) {
        committed.checkpoint = *std::move(checkpoint);
    } else {
        fields.fail_field("checkpoint", "is missing");
    }
    return committed;
}

constexpr Reader<FromWorker> kWorkerReaders[] = {
    {"hello", read_hello},
    {"started", read_started},
    {"progress", read_progress},
    {"memory", read_memory},
    {"checkpoint", read_committed},
    {"checkpoint_refused",
     [](Fields& fields) -> FromWorker {
         return CheckpointRefused{fields.text("path"), fields.text("reason", false)};
     }},
    {"done", [](Fields& fields) -> FromWorker { return read_done(fields); }},
    {"pong", [](Fields& fields) -> FromWorker { return Pong{fields.integer("n")}; }},
};

}  // namespace

std::string encode(const FromWorker& message) {
    return line_of(std::visit([](const auto& concrete) { return to_json(concrete); }, message));
}

Result<std::optional<FromWorker>> decode_from_worker(std::string_view line) {
    return decode<FromWorker>(line, kWireLineBytesMax, kWorkerReaders);
}

}  // namespace nightshift::wire
