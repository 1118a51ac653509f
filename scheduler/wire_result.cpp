#include <nlohmann/json.hpp>

#include "scheduler/wire.h"
#include "scheduler/wire_parts.h"

namespace nightshift::wire {

std::string encode(const ResultFile& result) {
    Json json{{"protocol", kProtocol}, {"job", result.attempt.job.value}, {"attempt", result.attempt.number}};
    write_done(json, result.done);
    json["started_at_ms"] = result.started_at.value;
    json["ended_at_ms"] = result.ended_at.value;
    json["peak_vram"] = result.peak_vram.value;
    if (result.checkpoint) json["checkpoint"] = checkpoint_json(*result.checkpoint);
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
