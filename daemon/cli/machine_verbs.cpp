#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/session.h"
#include "daemon/cli/text.h"
#include "daemon/cli/verbs.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

void show_gpus(Session& session) {
    const json reply = session.client().get("/api/v1/gpu");
    const json& devices = array_at(reply, "devices");
    Table table;
    table.columns = {{"GPU", Align::kRight, false, 0},     {"NAME", Align::kLeft, false, 34},
                     {"TOTAL", Align::kRight, false, 0},   {"HELD", Align::kRight, false, 0},
                     {"FOREIGN", Align::kRight, false, 0}, {"SAFETY", Align::kRight, false, 0},
                     {"FREE", Align::kRight, false, 0},    {"USED", Align::kRight, false, 0},
                     {"UTIL", Align::kRight, false, 0},    {"TEMP", Align::kRight, false, 0},
                     {"JOBS", Align::kLeft, false, 0},     {"UUID", Align::kLeft, true, 0}};
    for (const json& device : devices) {
        const auto measured = [&](const char* key, const char* unit) {
            return has(device, key) ? std::to_string(number_at(device, key)) + unit : std::string("-");
        };
        std::string jobs;
        for (const json& lease : array_at(device, "leases")) {
            jobs += (jobs.empty() ? "" : " ") + text_at(lease, "job");
        }
        table.rows.push_back({text_at(device, "index"), text_at(device, "name"),
                              size_text(number_at(device, "total")), size_text(number_at(device, "held")),
                              size_text(number_at(device, "foreign")), size_text(number_at(device, "safety")),
                              size_text(number_at(device, "free")), size_text(number_at(device, "used")),
                              measured("utilization", " %"), measured("temperature_c", " C"), jobs,
                              text_at(device, "uuid")});
    }
    print(session.format, table, devices, "no device");
}

void show_kinds(Session& session) {
    const json reply = session.client().get("/api/v1/kinds");
    const json& kinds = reply.is_array() ? reply : array_at(reply, "kinds");
    Table table;
    table.columns = {{"KIND", Align::kLeft, false, 0},
                     {"CLASS", Align::kLeft, false, 0},
                     {"VRAM", Align::kRight, false, 0},
                     {"PARAMS (* required)", Align::kLeft, false, 60},
                     {"WHAT IT DOES", Align::kLeft, false, 60}};
    for (const json& kind : kinds) {
        const json& schema = object_at(kind, "params");
        const json& required = array_at(schema, "required");
        std::string params;
        for (const auto& [name, unused] : object_at(schema, "properties").items()) {
            const bool is_required =
                std::find(required.begin(), required.end(), json(name)) != required.end();
            params += (params.empty() ? "" : " ") + name + (is_required ? "*" : "");
        }
        const json& summary = object_at(kind, "summary");
        table.rows.push_back({text_at(kind, "name"), text_at(kind, "class"),
                              size_text(number_at(kind, "vram")), params,
                              summary.empty() ? text_at(kind, "summary") : text_at(summary, "en")});
    }
    print(session.format, table, kinds, "no kinds: nightshift-worker was not found");
}

/// Where the credentials lie. They are never printed: header files keep them out of histories and lists
/// of processes.
void show_tokens(Session& session) {
    Table table;
    table.columns = {{"ROLE", Align::kLeft, false, 0}, {"HEADER FILE", Align::kLeft, false, 0}};
    json files = json::array();
    const std::pair<const char*, const char*> kFiles[] = {
        {"admin", "auth.hdr"}, {"operator", "operator.hdr"}, {"viewer", "viewer.hdr"}};
    for (const auto& [role, file] : kFiles) {
        const std::string path = (std::filesystem::path(session.target.data_folder) / file).string();
        if (!std::filesystem::exists(path)) continue;
        table.rows.push_back({role, path});
        files.push_back({{"name", path}, {"role", role}, {"path", path}});
    }
    print(session.format, table, files, "no credentials yet: `nightshift up` makes them");
    if (session.is_for_people() && !files.empty()) {
        std::printf("\ncurl -H @%s %s/api/v1/status\n", files[0]["path"].get<std::string>().c_str(),
                    read_instance(session.target.data_folder).endpoint.url().c_str());
    }
}

}  // namespace

void add_machine_verbs(CLI::App& app, Session& session) {
    app.add_subcommand("gpu", "the devices: who holds what, and what is free")->callback([&session] {
        show_gpus(session);
    });
    app.add_subcommand("kinds", "what jobs can do, and with which parameters")->callback([&session] {
        show_kinds(session);
    });
    app.add_subcommand("token", "where the credentials for curl and scripts lie")->callback([&session] {
        show_tokens(session);
    });
}

}  // namespace nightshift::cli
