#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "daemon/cli/demo_night.h"
#include "daemon/cli/demo_watch.h"
#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/job_text.h"
#include "daemon/cli/session.h"
#include "daemon/cli/text.h"
#include "daemon/cli/verbs.h"
#include "daemon/cli/why_text.h"
#include "scheduler/units.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

struct DemoOptions {
    std::string timeout = "15m";
    bool should_clean = false;
};

/// Waiting of all kinds: time from submit to end that no attempt ran.
double waited_seconds(const json& job) {
    const std::int64_t created = unix_ms(text_at(job, "created_at"));
    const std::int64_t ended = unix_ms(text_at(job, "ended_at"));
    return std::max(0.0, static_cast<double>(ended - created) / 1000.0 - real_at(job, "run_time"));
}

std::string tenths(double seconds) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f s", seconds);
    return text;
}

/// Creates the schedule or replaces the one of an earlier demo, shows its next fires, and pauses it: a
/// demo leaves nothing behind that starts by itself.
void show_schedule(Client& client, const DemoWatch& watch) {
    const json schedule = nightly_schedule();
    const std::string path = std::string("/api/v1/schedules/") + kDemoSchedule;
    HttpRequest put;
    put.method = "PUT";
    put.target = path;
    put.body = schedule.dump();
    client.send(std::move(put));
    const json reply = client.get(path + "/next?count=3");
    watch.say("schedule " + std::string(kDemoSchedule) + " (" + text_at(schedule, "cron") + " " +
              text_at(schedule, "timezone") + ", a chain of 3 jobs) fires next:");
    for (const json& fire : array_at(reply, "next")) {
        watch.say("    " + text_at(fire, "local") + "  (" + text_at(fire, "utc") + ")");
    }
    client.post(path + "/pause");
    watch.say("it is paused; `nightshift schedule resume " + std::string(kDemoSchedule) + "` makes it count");
}

void say_why(Client& client, const DemoWatch& watch, std::int64_t id) {
    const std::string text = why_text(client.get(job_path(id, "why")));
    std::size_t start = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
        watch.say("    " + text.substr(start, end - start));
        start = end + 1;
    }
}

/// The jobs of the night in their order; returns the id of the training that has to make way.
std::int64_t run_night(Client& client, DemoWatch& watch) {
    const DemoBudgets budgets = budgets_of(client);
    watch.say("device " + budgets.device + ": jobs may use " + size_text(budgets.usable));
    const std::int64_t imported = watch.submit(import_job(find_bundles()));
    const std::int64_t generated = watch.submit(generate_job());
    const std::int64_t features = watch.submit(extract_job(generated));
    const std::int64_t patchcore = watch.submit(patchcore_job(features));
    const std::int64_t dream = watch.submit(dream_job(features, patchcore, budgets));
    watch.submit(evaluate_job(features, generated, patchcore, dream));
    show_schedule(client, watch);
    watch.wait(imported, has_succeeded);
    watch.wait(patchcore, has_succeeded);
    // Trains for real: its first step is reported.
    watch.wait(dream, [](const json& job) {
        return text_at(job, "state") == "running" && number_at(object_at(job, "progress"), "step") > 0;
    });

    const std::int64_t command = watch.submit(command_job(budgets));
    say_why(client, watch, command);
    const std::int64_t score = watch.submit(score_job(patchcore, imported, budgets));
    say_why(client, watch, score);
    const json scored = watch.wait(score, has_succeeded);
    watch.say("from submit to the start of the score: " +
              tenths(static_cast<double>(unix_ms(text_at(scored, "started_at")) -
                                         unix_ms(text_at(scored, "created_at"))) /
                     1000.0));
    watch.wait_for_all();
    return dream;
}

/// Files of a job that a person wants to look at.
json reports_of(Client& client, const Session& session, const json& job) {
    json reports = json::array();
    const json reply = client.get(job_path(number_at(job, "id"), "artifacts"));
    for (const json& artifact : array_at(reply, "artifacts")) {
        const std::string name = text_at(artifact, "name");
        if (name != "report.html" && name != "scores.csv" && name != "note.txt") continue;
        const std::filesystem::path folder = session.target.data_folder;
        reports.push_back(
            (folder / "jobs" / text_at(job, "id") / text_at(artifact, "attempt") / "output" / name).string());
    }
    return reports;
}

bool print_night(Session& session, const DemoWatch& watch, std::int64_t dream) {
    Table table;
    table.columns = {{"JOB", Align::kRight, false, 0},  {"NAME", Align::kLeft, false, 0},
                     {"CLASS", Align::kLeft, false, 0}, {"WAITED", Align::kRight, false, 0},
                     {"RAN", Align::kRight, false, 0},  {"PREEMPTED", Align::kRight, false, 0},
                     {"RESULT", Align::kLeft, false, 0}};
    json jobs = json::array();
    std::string reports;
    bool is_good = false;
    bool all_succeeded = true;
    for (const std::int64_t id : watch.ids()) {
        json job = session.client().get(job_path(id));
        table.rows.push_back({text_at(job, "id"), text_at(job, "name"), text_at(job, "class"),
                              tenths(waited_seconds(job)), tenths(real_at(job, "run_time")),
                              text_at(job, "preemptions"), text_at(job, "state")});
        all_succeeded = all_succeeded && has_succeeded(job);
        if (id == dream && number_at(job, "preemptions") > 0) is_good = true;
        for (const json& path : reports_of(session.client(), session, job)) {
            reports += "  " + path.get<std::string>() + "\n";
        }
        jobs.push_back(std::move(job));
    }
    if (session.is_for_people()) std::printf("\n");
    print(session.format, table, jobs, "");
    if (session.is_for_people()) {
        if (!reports.empty()) std::printf("\nto look at:\n%s", harmless(reports, true).c_str());
        std::printf("\nnext: `nightshift kinds`, `nightshift run -- COMMAND`, `nightshift open`\n");
    }
    if (!is_good)
        std::fprintf(stderr, "nightshift: nothing was preempted: the training ended before the score came\n");
    return is_good && all_succeeded;
}

/// Ends and hides every job of earlier demos and removes the schedule.
void clean(Session& session) {
    Client& client = session.client();
    int hidden = 0;
    for (bool is_more = true; is_more;) {
        is_more = false;
        const json page = client.get("/api/v1/jobs?limit=200&q=" + std::string(kDemoPrefix));
        for (const json& job : array_at(page, "jobs")) {
            if (text_at(object_at(job, "labels"), "demo") != "night") continue;
            const std::int64_t id = number_at(job, "id");
            if (!is_over(job)) client.post(job_path(id, "cancel"));
            HttpRequest request;
            request.method = "DELETE";
            request.target = job_path(id);
            const HttpReply reply = client.send_raw(std::move(request));
            if (reply.status < 300) ++hidden, is_more = true;
        }
    }
    HttpRequest request;
    request.method = "DELETE";
    request.target = std::string("/api/v1/schedules/") + kDemoSchedule;
    client.send_raw(std::move(request));
    if (session.is_for_people()) std::printf("%d jobs of the demo are gone from the list\n", hidden);
}

void demo(Session& session, const DemoOptions& options) {
    if (options.should_clean) return clean(session);
    const Result<Millis> limit = parse_duration(options.timeout);
    if (!limit) throw Failure(kExitUsage, limit.error().message, limit.error().hint);
    DemoWatch watch(session.client(), !session.is_for_people(), limit->value);
    const std::int64_t dream = run_night(session.client(), watch);
    session.exit_code = print_night(session, watch, dream) ? kExitOk : kExitFailed;
}

}  // namespace

void add_demo_verb(CLI::App& app, Session& session) {
    auto options = std::make_shared<DemoOptions>();
    CLI::App* verb = app.add_subcommand("demo", "a whole night in two minutes, on real files");
    verb->add_option("--timeout", options->timeout, "give up after")->capture_default_str();
    verb->add_flag("--clean", options->should_clean, "remove the jobs of earlier demos");
    verb->callback([&session, options] { demo(session, *options); });
}

}  // namespace nightshift::cli
