#include "api/history_codec.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "api/job_codec.h"
#include "api/rfc3339.h"
#include "api/strict_json.h"

namespace nightshift::api {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

/// Room for the chain at the end of a line.
constexpr std::size_t kTextBytesMax = kHistoryLineBytesMax - 128;

ordered_json time_or_null(const std::optional<UnixMs>& at) {
    return at ? ordered_json(format_time(*at)) : ordered_json(nullptr);
}

/// Without its token and its processes, which mean nothing elsewhere.
ordered_json attempt_object(const Attempt& attempt) {
    ordered_json row;
    row["attempt"] = attempt.id.number;
    row["device"] = attempt.device;
    row["granted_at"] = format_time(attempt.granted_at);
    row["running_at"] = time_or_null(attempt.running_at);
    row["ended_at"] = time_or_null(attempt.ended_at);
    row["end"] = attempt.end ? ordered_json(to_string(*attempt.end)) : ordered_json(nullptr);
    row["exit_code"] = attempt.exit_code ? ordered_json(*attempt.exit_code) : ordered_json(nullptr);
    row["signal"] = attempt.signal ? ordered_json(*attempt.signal) : ordered_json(nullptr);
    row["stop_reason"] = attempt.stop_reason;
    return row;
}

ordered_json wait_object(const db::WaitSpan& wait) {
    ordered_json row;
    row["code"] = wait.reason;
    row["from"] = format_time(wait.from);
    row["to"] = time_or_null(wait.to);
    return row;
}

ordered_json checkpoint_object(const db::StoredCheckpoint& checkpoint) {
    ordered_json row;
    row["attempt"] = checkpoint.attempt;
    row["step"] = checkpoint.step;
    row["bytes"] = checkpoint.bytes.value;
    row["sha256"] = checkpoint.sha256;
    row["committed_at"] = format_time(checkpoint.committed_at);
    return row;
}

ordered_json artifact_object(const db::StoredArtifact& artifact) {
    ordered_json row;
    row["attempt"] = artifact.attempt;
    row["name"] = artifact.name;
    row["type"] = artifact.type;
    row["bytes"] = artifact.bytes.value;
    row["sha256"] = artifact.sha256;
    return row;
}

template <typename Row, typename ToObject>
ordered_json list_of(const std::vector<Row>& rows, ToObject to_object) {
    ordered_json list = ordered_json::array();
    for (const Row& row : rows) list.push_back(to_object(row));
    return list;
}

/// A whole number of at least `min`, or nothing.
std::optional<std::int64_t> whole(const json& object, const char* name, std::int64_t min) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_number_integer()) return std::nullopt;
    if (found->is_number_unsigned() && found->get<std::uint64_t>() > INT64_MAX) return std::nullopt;
    const auto value = found->get<std::int64_t>();
    return value >= min ? std::optional(value) : std::nullopt;
}

std::optional<std::string> text(const json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) return std::nullopt;
    return found->get<std::string>();
}

Error unfit(std::string words) {
    return {ErrorCode::kInvalidArgument, "history_broken", std::move(words), "", ""};
}

Result<HistoryLine> read_job(const json& object) {
    HistoryLine line;
    const auto id = whole(object, "id", 1);
    const auto version = whole(object, "version", 0);
    const auto state = parse_job_state(text(object, "state").value_or(""));
    if (!id || !version || !text(object, "name") || !text(object, "kind"))
        return unfit("is a job without id, version, name or kind");
    if (!state || !is_terminal(*state)) return unfit("is a job that has not ended");
    line.number = *id;
    line.version = *version;
    return line;
}

Result<HistoryLine> read_place(const json& object, HistoryLine line) {
    using Type = HistoryLine::Type;
    if (line.type == Type::kHeader || line.type == Type::kOrigin) {
        line.database = text(object, "database").value_or("");
        line.format = whole(object, "format", 1).value_or(0);
        if (line.type == Type::kHeader && line.format == 0) return unfit("tells no format");
    } else if (line.type == Type::kFire) {
        const auto schedule = text(object, "schedule");
        const auto nominal = text(object, "nominal");
        if (!schedule || !nominal || !parse_time(*nominal))
            return unfit("is a fire without schedule or time");
        line.text = *schedule + '\x01' + *nominal;
    } else if (line.type == Type::kUnreadable) {
        const auto what = text(object, "what");
        if (!what) return unfit("does not tell what could not be read");
        line.text = *what;
        line.number = whole(object, "from", 0).value_or(0);
    } else {
        const auto jobs = whole(object, "jobs", 0), fires = whole(object, "fires", 0),
                   unreadable = whole(object, "unreadable", 0);
        if (!jobs || !fires || !unreadable) return unfit("tells no counts");
        line.jobs = *jobs;
        line.fires = *fires;
        line.unreadable = *unreadable;
    }
    return line;
}

}  // namespace

std::string history_job_text(Context& context, const db::JobHistory& history) {
    ordered_json line;
    line["type"] = "job";
    WaitReasons none(context);
    line.update(job_object(context, history.job, none));
    // What other jobs and this moment say of it is not its history.
    for (const char* name : {"suggested_vram", "waiting", "running_since"}) line.erase(name);
    line["hidden"] = history.job.hidden;
    line["attempts"] = list_of(history.attempts, attempt_object);
    line["events"] = list_of(history.events, stored_event_object);
    line["waits"] = list_of(history.waits, wait_object);
    line["checkpoints"] = list_of(history.checkpoints, checkpoint_object);
    line["artifacts"] = list_of(history.artifacts, artifact_object);
    line["unreadable"] = history.unreadable;
    line["left_out"] = ordered_json::array();
    if (history.events.size() == static_cast<std::size_t>(db::kHistoryEventsMax))
        line["left_out"].push_back("later events");
    std::string out = dump_json(line);
    for (const char* part : {"events", "artifacts", "waits", "checkpoints", "attempts", "params"}) {
        if (out.size() <= kTextBytesMax) break;
        line["left_out"].push_back(part);
        line[part] = std::string_view(part) == "params" ? ordered_json::object() : ordered_json::array();
        out = dump_json(line);
    }
    return out;
}

std::string history_fire_text(const db::StoredFire& fire) {
    ordered_json line;
    line["type"] = "fire";
    line["schedule"] = fire.schedule;
    line["nominal"] = format_time(fire.nominal);
    line["decision"] = fire.decision;
    line["reason"] = fire.reason;
    line["at"] = format_time(fire.at);
    return dump_json(line);
}

Result<HistoryLine> parse_history_line(const std::string& object_text) {
    using Type = HistoryLine::Type;
    const auto object = parse_json(object_text, kHistoryLineBytesMax);
    if (!object || !object->is_object()) return unfit("is no JSON object");
    const std::string type = text(*object, "type").value_or("");
    if (type == "job") return read_job(*object);
    HistoryLine line;
    if (type == "nightshift-history") {
        line.type = Type::kHeader;
    } else if (type == "origin") {
        line.type = Type::kOrigin;
    } else if (type == "fire") {
        line.type = Type::kFire;
    } else if (type == "unreadable") {
        line.type = Type::kUnreadable;
    } else if (type == "end") {
        line.type = Type::kEnd;
    } else {
        return unfit("is of no known type");
    }
    return read_place(*object, std::move(line));
}

}  // namespace nightshift::api
