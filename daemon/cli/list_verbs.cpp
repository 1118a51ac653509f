#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "daemon/cli/fields.h"
#include "daemon/cli/job_text.h"
#include "daemon/cli/session.h"
#include "daemon/cli/text.h"
#include "daemon/cli/verbs.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

constexpr int kPageMax = 200;  ///< the daemon's limit for one page

struct ListOptions {
    std::vector<std::string> states, kinds, classes;
    std::string text;
    int limit = 50;
    bool wants_all = false;
};

std::string joined(const std::vector<std::string>& values) {
    std::string text;
    for (const std::string& value : values) text += (text.empty() ? "" : ",") + value;
    return percent_encoded(text);
}

json fetch(Client& client, const ListOptions& options) {
    std::string query;
    const auto add = [&query](const char* name, const std::string& value) {
        if (!value.empty()) query += "&" + std::string(name) + "=" + value;
    };
    add("state", joined(options.states));
    add("kind", joined(options.kinds));
    add("class", joined(options.classes));
    add("q", percent_encoded(options.text));
    json jobs = json::array();
    std::string cursor;
    do {
        const std::int64_t missing =
            options.wants_all ? kPageMax : options.limit - static_cast<int>(jobs.size());
        const std::string limit = std::to_string(std::min<std::int64_t>(missing, kPageMax));
        std::string path = "/api/v1/jobs?limit=" + limit + query;
        if (!cursor.empty()) path += "&cursor=" + percent_encoded(cursor);
        const json page = client.get(path);
        for (const json& job : array_at(page, "jobs")) jobs.push_back(job);
        cursor = text_at(page, "next");
    } while (!cursor.empty() && (options.wants_all || static_cast<int>(jobs.size()) < options.limit));
    return jobs;
}

Table table_of(const json& jobs) {
    Table table;
    table.columns = {{"ID", Align::kRight, false, 0},     {"NAME", Align::kLeft, false, 28},
                     {"KIND", Align::kLeft, false, 0},    {"CLASS", Align::kLeft, false, 0},
                     {"STATE", Align::kLeft, false, 0},   {"PROGRESS", Align::kLeft, false, 22},
                     {"VRAM", Align::kRight, false, 0},   {"AGE", Align::kRight, false, 0},
                     {"RAN", Align::kRight, false, 0},    {"PREEMPTED", Align::kRight, true, 0},
                     {"ATTEMPT", Align::kRight, true, 0}, {"PRIORITY", Align::kRight, true, 0},
                     {"SCHEDULE", Align::kLeft, true, 0}, {"WHY", Align::kLeft, false, 60}};
    for (const json& job : jobs) {
        const std::string state =
            flag_at(job, "held") ? text_at(job, "state") + " (held)" : text_at(job, "state");
        table.rows.push_back({text_at(job, "id"), text_at(job, "name"), text_at(job, "kind"),
                              text_at(job, "class"), state, progress_text(job),
                              size_text(number_at(job, "vram")), age_text(job), run_text(job),
                              text_at(job, "preemptions"), text_at(job, "attempt"), text_at(job, "priority"),
                              text_at(job, "schedule"), reason_text(job)});
    }
    return table;
}

std::string metrics_text(const json& metrics) {
    std::string text;
    for (const auto& [name, value] : metrics.items()) {
        if (value.is_number()) text += (text.empty() ? "" : ", ") + name + " " + value.dump();
    }
    return text;
}

std::string show_text(const json& job, const json& artifacts) {
    std::string text;
    const auto line = [&text](const char* name, const std::string& value) {
        if (!value.empty() && value != "-" && value != "{}")
            text += pad_right(name, 14) + harmless(value) + "\n";
    };
    line("job", text_at(job, "id") + "  " + text_at(job, "name"));
    line("kind", text_at(job, "kind") + " (" + text_at(job, "class") + ")");
    line("state", text_at(job, "state") + (flag_at(job, "held") ? " (held)" : ""));
    line("because", reason_text(job));
    line("progress", progress_text(job));
    line("metrics", metrics_text(object_at(object_at(job, "progress"), "metrics")));
    line("params", object_at(job, "params").dump());
    if (const json& command = array_at(job, "command"); !command.empty()) line("command", command.dump());
    line("cwd", text_at(job, "cwd"));
    line("vram", size_text(number_at(job, "vram")));
    line("peak vram", size_text(number_at(job, "peak_vram")));
    line("ram", size_text(number_at(job, "ram")));
    line("window", text_at(job, "window"));
    if (const json& after = array_at(job, "after"); !after.empty()) line("after", after.dump());
    line("submitted", local_time(text_at(job, "created_at")));
    line("started", local_time(text_at(job, "started_at")));
    line("ended", local_time(text_at(job, "ended_at")));
    line("ran", run_text(job));
    line("attempt", text_at(job, "attempt"));
    if (number_at(job, "preemptions") > 0) line("preempted", text_at(job, "preemptions") + " times");
    line("schedule", text_at(job, "schedule"));
    line("labels", object_at(job, "labels").dump());
    for (const json& artifact : artifacts) {
        line("artifact",
             pad_right(text_at(artifact, "name"), 40) + " " + size_text(number_at(artifact, "bytes")));
    }
    return text;
}

}  // namespace

void add_list_verbs(CLI::App& app, Session& session) {
    auto options = std::make_shared<ListOptions>();
    CLI::App* list = app.add_subcommand("ls", "list jobs, newest first");
    list->add_option("--state", options->states, "waiting, running, succeeded, failed, ...")->delimiter(',');
    list->add_option("--kind", options->kinds, "only these kinds")->delimiter(',');
    list->add_option("--class", options->classes, "only these classes")->delimiter(',');
    list->add_option("--name,--search", options->text, "part of the name");
    list->add_option("-n,--limit", options->limit, "how many")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    list->add_flag("-a,--all", options->wants_all, "all of them");
    list->callback([&session, options] {
        const json jobs = fetch(session.client(), *options);
        print(session.format, table_of(jobs), jobs, "no jobs");
    });

    auto id = std::make_shared<std::int64_t>(0);
    CLI::App* show = app.add_subcommand("show", "everything about one job");
    show->add_option("id", *id, "number of the job")->required();
    show->callback([&session, id] {
        const json job = session.client().get(job_path(*id));
        json artifacts = json::array();
        if (session.is_for_people()) {
            const json reply = session.client().get(job_path(*id, "artifacts"));
            artifacts = reply.is_array() ? reply : array_at(reply, "artifacts");
        }
        print_object(session.format, job, show_text(job, artifacts));
    });
}

}  // namespace nightshift::cli
