#include <cstdio>
#include <string>

#include <nlohmann/json.hpp>

#include "jobs/runtime/attempt_run.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

using Json = nlohmann::ordered_json;

Json row_of(const Kind& kind) {
    Json row{{"name", kind.name},
             {"class", to_string(kind.job_class)},
             {"summary", {{"en", kind.summary_en}, {"ko", kind.summary_ko}}},
             {"vram", kind.vram.value},
             {"ram", kind.ram.value},
             {"cpu", kind.cpu},
             {"checkpoint", to_string(kind.checkpoint)},
             {"estimate_param", kind.estimate_param}};
    row["params"] = kind.schema();
    Json& artifacts = row["artifacts"] = Json::array();
    for (const ArtifactNote& each : kind.artifacts) artifacts.push_back(each.name);
    return row;
}

void add_param(std::string& text, const std::string& name, const Json& schema) {
    std::string type;
    const Json types = schema.value("type", Json());
    if (types.is_string()) type = types.get<std::string>();
    if (types.is_array()) {
        for (const auto& one : types) type += (type.empty() ? "" : " or ") + one.get<std::string>();
    }
    text += "    " + name + (type.empty() ? "" : " (" + type + ")");
    if (schema.contains("enum")) text += " one of " + schema.at("enum").dump();
    if (schema.contains("minimum")) text += ", from " + schema.at("minimum").dump();
    if (schema.contains("maximum")) text += ", to " + schema.at("maximum").dump();
    if (schema.contains("default")) text += ", default " + schema.at("default").dump();
    text += "\n";
    if (schema.contains("description")) text += "        " + schema.value("description", "") + "\n";
}

}  // namespace

const Kind* find_kind(std::string_view name) {
    for (const Kind& kind : kinds()) {
        if (kind.name == name) return &kind;
    }
    return nullptr;
}

std::string list_kinds(bool is_json) {
    if (is_json) {
        Json rows = Json::array();
        for (const Kind& kind : kinds()) rows.push_back(row_of(kind));
        return rows.dump() + "\n";
    }
    std::string text;
    for (const Kind& kind : kinds()) {
        text += kind.name + " [" + std::string(to_string(kind.job_class)) + "]  " + kind.summary_en + "\n";
        text += "    vram " + format_bytes(kind.vram) + ", ram " + format_bytes(kind.ram) + ", cpu " +
                std::to_string(kind.cpu) + ", checkpoint " + std::string(to_string(kind.checkpoint)) + "\n";
        const Json schema = kind.schema();
        if (schema.contains("properties")) {
            for (const auto& [name, property] : schema.at("properties").items())
                add_param(text, name, property);
        }
    }
    return text;
}

}  // namespace nightshift::jobs
