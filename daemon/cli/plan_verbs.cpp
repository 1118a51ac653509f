#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/session.h"
#include "daemon/cli/text.h"
#include "daemon/cli/verbs.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

std::string verdict_text(const std::string& verdict) {
    if (verdict == "done") return "will be done";
    if (verdict == "likely") return "likely";
    if (verdict == "unlikely") return "unlikely";
    if (verdict == "no") return "will not";
    return "unknown";
}

std::string time_or_dash(const json& object, const char* key) {
    const std::string text = local_time(text_at(object, key));
    return text.empty() ? "-" : text;
}

std::string chance_text(const json& job) {
    return has(job, "chance") ? std::to_string(std::lround(real_at(job, "chance") * 100)) + " %" : "-";
}

void show_coming(Session& session, const json& answer) {
    const json& coming = array_at(answer, "coming");
    if (coming.empty()) return;
    Table table;
    table.columns = {{"SCHEDULE", Align::kLeft, false, 24},
                     {"FIRES"},
                     {"NAME", Align::kLeft, false, 32},
                     {"CLASS"},
                     {"BY THEN"},
                     {"CHANCE", Align::kRight},
                     {"ENDS (P50)"},
                     {"ENDS (P90)"}};
    for (const json& job : coming) {
        const json& end = object_at(job, "end");
        table.rows.push_back({harmless(text_at(job, "schedule")), time_or_dash(job, "fires_at"),
                              harmless(text_at(job, "name")), text_at(job, "class"),
                              verdict_text(text_at(job, "verdict")), chance_text(job),
                              time_or_dash(end, "p50"), time_or_dash(end, "p90")});
    }
    std::printf("\nSchedules will add:\n");
    print(session.format, table, coming, "");
}

void show_contract(Session& session, const std::string& until, int futures) {
    std::string path = "/api/v1/plan?until=" + percent_encoded(until);
    if (futures > 0) path += "&futures=" + std::to_string(futures);
    const json answer = session.client().get(path);
    const json& jobs = array_at(answer, "jobs");
    Table table;
    table.columns = {{"ID", Align::kRight},
                     {"NAME", Align::kLeft, false, 32},
                     {"CLASS"},
                     {"STATE"},
                     {"BY THEN"},
                     {"CHANCE", Align::kRight},
                     {"ENDS (P50)"},
                     {"ENDS (P90)"},
                     {"BASIS", Align::kLeft, true}};
    for (const json& job : jobs) {
        const json& end = object_at(job, "end");
        table.rows.push_back({text_at(job, "job"), harmless(text_at(job, "name")), text_at(job, "class"),
                              text_at(job, "state"), verdict_text(text_at(job, "verdict")), chance_text(job),
                              time_or_dash(end, "p50"), time_or_dash(end, "p90"),
                              harmless(text_at(job, "basis"))});
    }
    if (!session.is_for_people()) {
        if (session.format == Format::kJson) return print_object(session.format, answer, "");
        return print(session.format, table, jobs, "");
    }
    print(session.format, table, jobs, "The queue is empty: nothing is left to be done.\n");
    show_coming(session, answer);
    if (jobs.empty()) return;
    std::printf("\nBy %s: %s of %zu will be done", time_or_dash(answer, "until").c_str(),
                text_at(answer, "done").c_str(), jobs.size());
    if (number_at(answer, "unknown") > 0) {
        std::printf("; of %s nobody can tell", text_at(answer, "unknown").c_str());
    }
    std::printf(". Assumes that %s.\n", text_at(answer, "assumes").c_str());
    if (number_at(answer, "left_out") > 0) {
        std::printf("%s more wait behind them.\n", text_at(answer, "left_out").c_str());
    }
    if (!flag_at(answer, "complete")) std::printf("The forecast came to its limit: read it with care.\n");
}

json read_policy(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw Failure(kExitUsage, "cannot read " + path, "Check the path of the policy.");
    std::ostringstream text;
    text << file.rdbuf();
    json policy = json::parse(text.str(), nullptr, false);
    if (policy.is_discarded()) {
        throw Failure(kExitUsage, path + " is no JSON", "Check it with `python3 -m json.tool " + path + "`.");
    }
    return policy;
}

struct ReplayOptions {
    std::string from, until, policy;
    std::vector<std::string> cards;
};

json request_of(const ReplayOptions& options) {
    json body = json::object();
    const bool is_number = !options.from.empty() && options.from.size() < 19 &&
                           options.from.find_first_not_of("0123456789") == std::string::npos;
    if (is_number) {
        body["from"] = std::stoll(options.from);
    } else {
        body["from"] = options.from;
    }
    if (!options.until.empty()) body["until"] = options.until;
    if (!options.policy.empty()) body["policy"] = read_policy(options.policy);
    if (!options.cards.empty()) body["gpu"] = options.cards;
    return body;
}

std::string wait_text(const json& object, const char* key) {
    return has(object, key) ? seconds_text(real_at(object, key)) : "not started";
}

std::string hours_text(double hours) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f h", hours);
    return text;
}

Table class_table(const json& answer) {
    Table table;
    table.columns = {{"CLASS"},
                     {"STORY"},
                     {"JOBS", Align::kRight},
                     {"STARTED", Align::kRight},
                     {"ENDED", Align::kRight},
                     {"WAIT (MEAN)", Align::kRight},
                     {"WAIT (P90)", Align::kRight},
                     {"WAIT (MAX)", Align::kRight},
                     {"PREEMPTED", Align::kRight},
                     {"ON DEVICE", Align::kRight}};
    for (const char* job_class : {"inference", "training", "evaluation", "synthesis"}) {
        for (const char* story : {"recorded", "same", "changed"}) {
            const json& row = object_at(object_at(object_at(answer, story), "classes"), job_class);
            if (number_at(row, "jobs") == 0 && real_at(row, "gpu_hours") == 0) continue;
            table.rows.push_back({job_class, story, text_at(row, "jobs"), text_at(row, "started"),
                                  text_at(row, "ended"), seconds_text(real_at(row, "wait_mean_s")),
                                  seconds_text(real_at(row, "wait_p90_s")),
                                  seconds_text(real_at(row, "wait_max_s")), text_at(row, "preemptions"),
                                  hours_text(real_at(row, "gpu_hours"))});
        }
    }
    return table;
}

void show_replay(Session& session, const ReplayOptions& options) {
    const json answer = session.client().post("/api/v1/replay", request_of(options));
    if (!session.is_for_people()) {
        if (session.format == Format::kJson) return print_object(session.format, answer, "");
        return print(session.format, class_table(answer), array_at(answer, "jobs"), "");
    }
    std::printf("Replayed %s to %s: %s jobs.\n\n", time_or_dash(object_at(answer, "from"), "at").c_str(),
                time_or_dash(answer, "until").c_str(), text_at(answer, "jobs_seen").c_str());
    print(session.format, class_table(answer), json::array(), "No job was ready in that time.\n");
    std::printf(
        "\nrecorded: as it was. same: the recorded rules lived through again; %ld %% of the decisions "
        "agree.\nchanged: with what was asked for; compare it with same.\n",
        std::lround(real_at(answer, "agreement") * 100));
    const json& jobs = array_at(answer, "jobs");
    if (jobs.empty()) {
        std::printf("No job would have started at another time.\n");
        return;
    }
    std::printf("\n%s jobs would have started at another time:\n", text_at(answer, "moved").c_str());
    Table table;
    table.columns = {
        {"ID", Align::kRight},       {"NAME", Align::kLeft, false, 32}, {"CLASS"},
        {"WAITED", Align::kRight},   {"SAME", Align::kRight},           {"CHANGED", Align::kRight},
        {"PREEMPTED", Align::kRight}};
    for (const json& job : jobs) {
        table.rows.push_back(
            {text_at(job, "job"), harmless(text_at(job, "name")), text_at(job, "class"),
             wait_text(job, "wait_recorded_s"), wait_text(job, "wait_same_s"),
             wait_text(job, "wait_changed_s"),
             text_at(job, "preemptions_same") + " -> " + text_at(job, "preemptions_changed")});
    }
    print(session.format, table, jobs, "");
}

}  // namespace

void add_plan_verbs(CLI::App& app, Session& session) {
    struct Contract {
        std::string until = "07:00";
        int futures = 0;
    };
    auto contract = std::make_shared<Contract>();
    CLI::App* plan_verb = app.add_subcommand("plan", "which jobs will be done by a deadline");
    plan_verb->add_option("--until", contract->until, "07:00 (its next occurrence) or an RFC 3339 time");
    plan_verb->add_option("--futures", contract->futures, "how many futures are lived through (40)")
        ->check(CLI::Range(1, 1000));
    plan_verb->callback([&session, contract] { show_contract(session, contract->until, contract->futures); });

    auto options = std::make_shared<ReplayOptions>();
    CLI::App* replay_verb = app.add_subcommand("replay", "the past again, under another policy or card");
    replay_verb->add_option("--from", options->from, "number of a plan, or an RFC 3339 time")->required();
    replay_verb->add_option("--until", options->until, "an RFC 3339 time; now, if absent");
    replay_verb->add_option("--policy", options->policy, "a policy file to try");
    replay_verb->add_option("--gpu", options->cards, "size of another card, e.g. 24GiB; again for a second");
    replay_verb->callback([&session, options] { show_replay(session, *options); });
}

}  // namespace nightshift::cli
