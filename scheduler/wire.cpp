#include "scheduler/wire.h"

#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

namespace nightshift::wire {
namespace {

/// Ordered, so that "type" comes first and a captured line can be read by eye.
using Json = nlohmann::ordered_json;

/// Cuts at a character boundary: half a character would be repaired into a replacement mark.
std::string cut(const std::string& text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end);
}

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Reads the fields of one object and remembers the first thing that was wrong.
class Fields {
  public:
    Fields(const Json& json, std::string what) : json_(json), what_(std::move(what)) {
        if (!json_.is_object()) fail("is not an object");
    }

    std::string text(const char* name, bool is_required = true) {
        const Json* field = find(name, is_required);
        if (field == nullptr) return {};
        if (field->is_string()) return field->get<std::string>();
        fail_field(name, "is not a string");
        return {};
    }
    std::int64_t integer(const char* name, bool is_required = true) {
        const Json* field = find(name, is_required);
        if (field == nullptr) return 0;
        if (field->is_number_unsigned() && field->get<std::uint64_t>() > kIntegerMax) {
            fail_field(name, "is too large");
            return 0;
        }
        if (field->is_number_integer()) return field->get<std::int64_t>();
        fail_field(name, "is not an integer");
        return 0;
    }
    int small_integer(const char* name, bool is_required = true) {
        const std::int64_t value = integer(name, is_required);
        if (value >= std::numeric_limits<int>::min() && value <= std::numeric_limits<int>::max()) {
            return static_cast<int>(value);
        }
        fail_field(name, "is too large");
        return 0;
    }
    bool flag(const char* name) {
        const Json* field = find(name, false);
        if (field == nullptr) return false;
        if (field->is_boolean()) return field->get<bool>();
        fail_field(name, "is not true or false");
        return false;
    }
    std::optional<int> optional_integer(const char* name) {
        if (!has(name)) return std::nullopt;
        return small_integer(name);
    }
    const Json* array(const char* name) {
        const Json* field = find(name, false);
        if (field == nullptr || field->is_array()) return field;
        fail_field(name, "is not a list");
        return nullptr;
    }
    const Json* object(const char* name) {
        const Json* field = find(name, false);
        if (field == nullptr || field->is_object()) return field;
        fail_field(name, "is not an object");
        return nullptr;
    }

    bool has(const char* name) const {
        if (!json_.is_object()) return false;
        const auto found = json_.find(name);
        return found != json_.end() && !found->is_null();
    }
    void fail_field(const std::string& name, const std::string& problem) {
        fail("field '" + name + "' " + problem);
    }
    void fail(const std::string& problem) {
        if (problem_.empty()) problem_ = what_ + ": " + problem;
    }
    void take_over(const Fields& inner) {
        if (problem_.empty()) problem_ = inner.problem_;
    }
    const std::string& what() const { return what_; }
    const std::string& problem() const { return problem_; }

  private:
    static constexpr std::uint64_t kIntegerMax = std::numeric_limits<std::int64_t>::max();

    const Json* find(const char* name, bool is_required) {
        if (has(name)) return &*json_.find(name);
        if (is_required) fail_field(name, "is missing");
        return nullptr;
    }

    const Json& json_;
    std::string what_;
    std::string problem_;
};

Error corrupt(std::string message) {
    return Error{ErrorCode::kCorrupt, "bad_line", std::move(message),
                 "Daemon and worker have to come from one build; restart the daemon after an update.", ""};
}

// --- parts that several messages share ------------------------------------------------------

Json to_json(const ProcessIdentity& identity) {
    return {{"boot_id", identity.boot_id}, {"pid", identity.pid}, {"start_ticks", identity.start_ticks}};
}

std::optional<ProcessIdentity> read_identity(Fields& fields, const char* name) {
    const Json* json = fields.object(name);
    if (json == nullptr) return std::nullopt;
    Fields inner(*json, fields.what() + "." + name);
    ProcessIdentity identity;
    identity.boot_id = inner.text("boot_id", false);
    identity.pid = inner.integer("pid");
    identity.start_ticks = inner.integer("start_ticks");
    if (identity.pid <= 0) inner.fail_field("pid", "is not a process id");
    fields.take_over(inner);
    return identity;
}

Json to_json(const Checkpoint& checkpoint) {
    return {{"job", checkpoint.job.value},
            {"attempt", checkpoint.attempt},
            {"path", checkpoint.path},
            {"step", checkpoint.step},
            {"bytes", checkpoint.bytes.value},
            {"sha256", checkpoint.sha256},
            {"committed_at_ms", checkpoint.committed_at.value}};
}

std::optional<Checkpoint> read_checkpoint(Fields& fields, const char* name) {
    const Json* json = fields.object(name);
    if (json == nullptr) return std::nullopt;
    Fields inner(*json, fields.what() + "." + name);
    Checkpoint checkpoint;
    checkpoint.job.value = inner.integer("job");
    checkpoint.attempt = inner.small_integer("attempt");
    checkpoint.path = inner.text("path");
    checkpoint.step = inner.integer("step");
    checkpoint.bytes.value = inner.integer("bytes");
    checkpoint.sha256 = inner.text("sha256");
    checkpoint.committed_at.value = inner.integer("committed_at_ms");
    fields.take_over(inner);
    return checkpoint;
}

void write_done(Json& json, const Done& done) {
    if (done.exit_code) json["exit_code"] = *done.exit_code;
    if (done.signal) json["signal"] = *done.signal;
    if (!done.error_code.empty()) json["error_code"] = cut(done.error_code, kWireKeyBytesMax);
    if (!done.message.empty()) json["message"] = cut(done.message, kWireTextBytesMax);
    if (done.cached) json["cached"] = true;
    if (done.ran.value > 0) json["ran_ms"] = done.ran.value;
}

Done read_done(Fields& fields) {
    Done done;
    done.exit_code = fields.optional_integer("exit_code");
    done.signal = fields.optional_integer("signal");
    done.error_code = fields.text("error_code", false);
    done.message = fields.text("message", false);
    done.cached = fields.flag("cached");
    done.ran.value = fields.integer("ran_ms", false);
    return done;
}

// --- worker -> daemon -----------------------------------------------------------------------

Json to_json(const Hello& hello) {
    Json json{{"type", "hello"},
              {"protocol", hello.protocol},
              {"job", hello.attempt.job.value},
              {"attempt", hello.attempt.number},
              {"token", hello.token},
              {"worker", to_json(hello.worker)},
              {"is_started", hello.is_started}};
    if (hello.command) json["command"] = to_json(*hello.command);
    json["build"] = cut(hello.build, kWireKeyBytesMax);
    return json;
}

Json to_json(const Started& started) {
    Json json{{"type", "started"}, {"grade", to_string(started.grade)}};
    if (started.command) json["command"] = to_json(*started.command);
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
    return {{"type", "checkpoint"}, {"checkpoint", to_json(committed.checkpoint)}};
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

// --- daemon -> worker -----------------------------------------------------------------------

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

// --- lines ------------------------------------------------------------------------------------

template <typename Message>
struct Reader {
    const char* type;
    Message (*read)(Fields&);
};

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

constexpr Reader<FromDaemon> kDaemonReaders[] = {
    {"start", read_start},
    {"welcome", [](Fields&) -> FromDaemon { return Welcome{}; }},
    {"yield", read_request<YieldRequest>},
    {"cancel", read_request<CancelRequest>},
    {"ping", [](Fields& fields) -> FromDaemon { return Ping{fields.integer("n")}; }},
    {"refuse", [](Fields& fields) -> FromDaemon { return Refuse{fields.text("reason", false)}; }},
    {"bye", [](Fields&) -> FromDaemon { return Bye{}; }},
};

template <typename Message, std::size_t count>
Result<std::optional<Message>> decode(std::string_view line, std::size_t bytes_max,
                                      const Reader<Message> (&readers)[count]) {
    if (line.size() > bytes_max) {
        return corrupt("a line of " + std::to_string(line.size()) + " bytes; " + std::to_string(bytes_max) +
                       " are allowed");
    }
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_discarded()) return corrupt("a line that is not JSON: " + cut(std::string(line), 80));
    Fields outer(json, "message");
    const std::string type = outer.text("type");
    if (!outer.problem().empty()) return corrupt(outer.problem());
    for (const Reader<Message>& reader : readers) {
        if (type != reader.type) continue;
        Fields fields(json, type);
        Message message = reader.read(fields);
        if (!fields.problem().empty()) return corrupt(fields.problem());
        return std::optional<Message>(std::move(message));
    }
    return std::optional<Message>();
}

}  // namespace

std::string encode(const FromWorker& message) {
    return dump(std::visit([](const auto& concrete) { return to_json(concrete); }, message));
}

std::string encode(const FromDaemon& message) {
    return dump(std::visit([](const auto& concrete) { return to_json(concrete); }, message));
}

Result<std::optional<FromWorker>> decode_from_worker(std::string_view line) {
    return decode<FromWorker>(line, kWireLineBytesMax, kWorkerReaders);
}

Result<std::optional<FromDaemon>> decode_from_daemon(std::string_view line) {
    return decode<FromDaemon>(line, kWireStartBytesMax, kDaemonReaders);
}

std::string encode(const ResultFile& result) {
    Json json{{"protocol", kProtocol}, {"job", result.attempt.job.value}, {"attempt", result.attempt.number}};
    write_done(json, result.done);
    json["started_at_ms"] = result.started_at.value;
    json["ended_at_ms"] = result.ended_at.value;
    json["peak_vram"] = result.peak_vram.value;
    if (result.checkpoint) json["checkpoint"] = to_json(*result.checkpoint);
    Json artifacts = Json::array();
    for (const Artifact& artifact : result.artifacts) {
        artifacts.push_back({{"name", artifact.name},
                             {"type", artifact.type},
                             {"bytes", artifact.bytes.value},
                             {"sha256", artifact.sha256}});
    }
    json["artifacts"] = std::move(artifacts);
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<ResultFile> decode_result_file(std::string_view text) {
    if (text.size() > kResultFileBytesMax) return corrupt("result.json is larger than 64 MiB");
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) return corrupt("result.json is not JSON (cut short?)");
    Fields fields(json, "result.json");
    ResultFile result;
    if (fields.small_integer("protocol") != kProtocol && fields.problem().empty()) {
        fields.fail("was written by another protocol");
    }
    result.attempt.job.value = fields.integer("job");
    result.attempt.number = fields.small_integer("attempt");
    result.done = read_done(fields);
    result.started_at.value = fields.integer("started_at_ms");
    result.ended_at.value = fields.integer("ended_at_ms");
    result.peak_vram.value = fields.integer("peak_vram", false);
    result.checkpoint = read_checkpoint(fields, "checkpoint");
    if (const Json* artifacts = fields.array("artifacts")) {
        for (const Json& item : *artifacts) {
            Fields inner(item, "result.json artifacts");
            result.artifacts.push_back(Artifact{inner.text("name"), inner.text("type"),
                                                Bytes{inner.integer("bytes")}, inner.text("sha256", false)});
            fields.take_over(inner);
        }
    }
    if (!fields.problem().empty()) return corrupt(fields.problem());
    return result;
}

}  // namespace nightshift::wire
