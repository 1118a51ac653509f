#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/session.h"
#include "daemon/cli/submit_options.h"
#include "daemon/cli/text.h"
#include "daemon/cli/verbs.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

struct AddSchedule {
    std::string name, cron, at, days = "*", timezone, missed, overlap, file, kind;
    SubmitOptions options;
    std::vector<std::string> params, command;
};

std::string schedule_path(const std::string& name, const std::string& rest = {}) {
    return "/api/v1/schedules/" + percent_encoded(name) + (rest.empty() ? "" : "/" + rest);
}

/// "22:05" and "mon-fri" -> "5 22 * * mon-fri".
std::string cron_of(const AddSchedule& add) {
    if (!add.cron.empty()) return add.cron;
    int hour = 0, minute = 0, used = 0;
    const int fields = std::sscanf(add.at.c_str(), "%2d:%2d%n", &hour, &minute, &used);
    if (fields != 2 || used != static_cast<int>(add.at.size()) || hour > 23 || minute > 59 || hour < 0 ||
        minute < 0) {
        throw Failure(kExitUsage, "'" + add.at + "' is no time of day",
                      "Write --at 22:00, or --cron '0 22 * * mon-fri'.");
    }
    return std::to_string(minute) + " " + std::to_string(hour) + " * * " + add.days;
}

json job_of(const AddSchedule& add) {
    json job = json::object();
    if (!add.file.empty()) {
        std::ifstream file(add.file);
        std::ostringstream text;
        text << file.rdbuf();
        job = json::parse(text.str(), nullptr, false);
        if (!job.is_object() && !job.is_array()) {
            throw Failure(kExitUsage, add.file + " is not JSON",
                          "It is the body of a job, or a list of them: [{\"kind\": ...}, {\"kind\": ...}].");
        }
        if (job.is_array()) return job;
    }
    if (!add.kind.empty()) job["kind"] = add.kind;
    if (!add.command.empty()) {
        job["kind"] = "command";
        job["command"] = add.command;
        job["cwd"] = std::filesystem::current_path().string();
    }
    for (const std::string& text : add.params) add_param(text, job["params"]);
    add_fields(add.options, job);
    if (!job.contains("kind")) {
        throw Failure(kExitUsage, "the schedule has no job",
                      "Add --kind KIND, --file JOB.json, or -- COMMAND.");
    }
    return job;
}

void add_schedule(Session& session, const AddSchedule& add) {
    if (add.cron.empty() == add.at.empty()) {
        throw Failure(kExitUsage, "a schedule needs --at or --cron",
                      "For example: --at 22:00 --days mon-fri");
    }
    json schedule = {{"name", add.name}, {"cron", cron_of(add)}};
    const auto put = [&schedule](const char* key, const std::string& value) {
        if (!value.empty()) schedule[key] = value;
    };
    put("timezone", add.timezone);
    put("missed", add.missed);
    put("overlap", add.overlap);
    json job = job_of(add);
    schedule[job.is_array() ? "jobs" : "job"] = std::move(job);
    const json reply = session.client().post("/api/v1/schedules", schedule);
    print_object(session.format, reply,
                 "schedule " + add.name + " is added: " + text_at(schedule, "cron") + "\n");
}

void list_schedules(Session& session) {
    const json reply = session.client().get("/api/v1/schedules");
    const json& schedules = reply.is_array() ? reply : array_at(reply, "schedules");
    Table table;
    table.columns = {{"NAME", Align::kLeft, false, 40},    {"CRON", Align::kLeft, false, 0},
                     {"TIMEZONE", Align::kLeft, false, 0}, {"ENABLED", Align::kLeft, false, 0},
                     {"NEXT", Align::kLeft, false, 0},     {"MISSED", Align::kLeft, true, 0},
                     {"OVERLAP", Align::kLeft, true, 0}};
    for (const json& schedule : schedules) {
        table.rows.push_back({text_at(schedule, "name"), text_at(schedule, "cron"),
                              text_at(schedule, "timezone"), flag_at(schedule, "enabled") ? "yes" : "no",
                              local_time(text_at(schedule, "next_fire_at")), text_at(schedule, "missed"),
                              text_at(schedule, "overlap")});
    }
    print(session.format, table, schedules, "no schedules");
}

void print_next(Session& session, const std::string& name, int count) {
    const json reply = session.client().get(schedule_path(name, "next?count=" + std::to_string(count)));
    const json& fires = array_at(reply, "next");
    Table table;
    table.columns = {
        {"LOCAL", Align::kLeft, false, 0}, {"UTC", Align::kLeft, false, 0}, {"NOTE", Align::kLeft, false, 0}};
    for (const json& fire : fires) {
        table.rows.push_back({text_at(fire, "local"), text_at(fire, "utc"), text_at(fire, "note")});
    }
    print(session.format, table, fires, "it never fires");
}

void add_named(CLI::App& parent, Session& session, const char* verb, const char* help, const char* done) {
    auto name = std::make_shared<std::string>();
    CLI::App* app = parent.add_subcommand(verb, help);
    app->add_option("name", *name, "name of the schedule")->required();
    app->callback([&session, name, verb, done] {
        const json reply = session.client().post(schedule_path(*name, verb));
        std::string text = "schedule " + harmless(*name) + " " + done;
        for (const json& id : array_at(reply, "jobs"))
            text += " " + (id.is_object() ? text_at(id, "id") : id.dump());
        print_object(session.format, reply, text + "\n");
    });
}

}  // namespace

void add_schedule_verbs(CLI::App& app, Session& session) {
    CLI::App* parent = app.add_subcommand("schedule", "jobs that come back: nights, weeks");
    parent->require_subcommand(1);

    auto add = std::make_shared<AddSchedule>();
    CLI::App* add_verb =
        parent->add_subcommand("add", "schedule add NAME --at 22:00 --days mon-fri -- COMMAND");
    add_verb->add_option("schedule", add->name, "a name for it")->required();
    add_verb->add_option("--at", add->at, "time of day: 22:00");
    add_verb->add_option("--days", add->days, "mon-fri, sat,sun, ...")->capture_default_str();
    add_verb->add_option("--cron", add->cron, "five fields or @daily instead of --at");
    add_verb->add_option("--timezone", add->timezone, "IANA name: Asia/Seoul (default: the machine's)");
    add_verb->add_option("--missed", add->missed, "once, skip or all: fires that the daemon slept through");
    add_verb->add_option("--overlap", add->overlap, "skip, queue or replace: the last one still runs");
    add_verb->add_option("--file", add->file, "JSON of the job, or a list for a chain")
        ->check(CLI::ExistingFile);
    add_verb->add_option("-k,--kind", add->kind, "a kind of `nightshift kinds`");
    add_verb->add_option("-p,--param", add->params, "KEY=VALUE, a parameter of the kind");
    add_submit_options(*add_verb, add->options);
    add_verb->add_option("command", add->command, "a program and its arguments, after --");
    add_verb->callback([&session, add] { add_schedule(session, *add); });

    parent->add_subcommand("ls", "list them")->callback([&session] { list_schedules(session); });

    auto name = std::make_shared<std::string>();
    auto count = std::make_shared<int>(10);
    CLI::App* next = parent->add_subcommand("next", "when it fires next");
    next->add_option("name", *name, "name of the schedule")->required();
    next->add_option("-n,--count", *count, "how many")->check(CLI::Range(1, 1000))->capture_default_str();
    next->callback([&session, name, count] { print_next(session, *name, *count); });

    add_named(*parent, session, "run", "fire it now", "fired");
    add_named(*parent, session, "pause", "no more fires until resumed", "is paused");
    add_named(*parent, session, "resume", "fire again", "is resumed");

    auto gone = std::make_shared<std::string>();
    CLI::App* remove = parent->add_subcommand("rm", "remove it; its jobs stay");
    remove->add_option("name", *gone, "name of the schedule")->required();
    remove->callback([&session, gone] {
        HttpRequest request;
        request.method = "DELETE";
        request.target = schedule_path(*gone);
        session.client().send(std::move(request));
        if (session.is_for_people()) std::printf("schedule %s is removed\n", harmless(*gone).c_str());
    });
}

}  // namespace nightshift::cli
