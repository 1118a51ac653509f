#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/follow.h"
#include "daemon/cli/job_text.h"
#include "daemon/cli/session.h"
#include "daemon/cli/submit_options.h"
#include "daemon/cli/verbs.h"
#include "daemon/cli/why_text.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

struct SubmitVerb {
    SubmitOptions options;
    std::string file, kind, idempotency_key;
    std::vector<std::string> params, command;
    bool is_dry_run = false;
    bool should_wait = false;
};

std::string read_input(const std::string& path) {
    std::ostringstream text;
    if (path == "-") {
        text << std::cin.rdbuf();
    } else {
        std::ifstream file(path, std::ios::binary);
        if (!file)
            throw Failure(kExitUsage, "cannot read " + path, "Check the path; - reads standard input.");
        text << file.rdbuf();
    }
    return std::move(text).str();
}

/// `@job.json`, `job.json` and `-` are read as a submit body.
json body_of(const SubmitVerb& verb) {
    json body = json::object();
    if (!verb.file.empty()) {
        body = json::parse(read_input(verb.file.starts_with("@") ? verb.file.substr(1) : verb.file), nullptr,
                           false);
        if (!body.is_object()) {
            throw Failure(
                kExitUsage, verb.file + " is not a JSON object",
                "It is the body of POST /api/v1/jobs: {\"kind\": \"sleep\", \"params\": {\"seconds\": 5}}.");
        }
    }
    if (!verb.kind.empty()) body["kind"] = verb.kind;
    for (const std::string& text : verb.params) add_param(text, body["params"]);
    add_fields(verb.options, body);
    return body;
}

void print_dry_run(const Session& session, const json& reply) {
    std::string text = "would be accepted\n";
    if (const json& why = object_at(reply, "why"); !why.empty()) text += why_text(why);
    print_object(session.format, reply, text);
}

void submit(Session& session, const SubmitVerb& verb, json body) {
    HttpRequest request;
    request.method = "POST";
    request.target = verb.is_dry_run ? "/api/v1/jobs?dry_run=1" : "/api/v1/jobs";
    request.body = body.dump();
    if (!verb.idempotency_key.empty()) request.headers.emplace_back("Idempotency-Key", verb.idempotency_key);
    const json job = json::parse(session.client().send(std::move(request)).body, nullptr, false);
    if (verb.is_dry_run) return print_dry_run(session, job);
    const std::int64_t id = number_at(job, "id");
    if (verb.should_wait) {
        std::fprintf(stderr, "job %lld\n", static_cast<long long>(id));
        LogRequest log;
        log.job = id;
        follow_log(session.client(), log);
        const json done = wait_until_over(session.client(), id, std::nullopt);
        std::fprintf(stderr, "%s\n", result_text(done).c_str());
        const json& outcome = object_at(done, "outcome");
        const int code =
            has(outcome, "exit_code") ? static_cast<int>(number_at(outcome, "exit_code")) : kExitFailed;
        session.exit_code = has_succeeded(done) ? kExitOk : (code == 0 ? kExitFailed : code);
        return;
    }
    std::string text = "job " + std::to_string(id) + " " + text_at(job, "state");
    if (const std::string reason = reason_text(job); !reason.empty()) text += ": " + reason;
    print_object(session.format, job, text + "\n");
}

void add_common(CLI::App& verb, const std::shared_ptr<SubmitVerb>& options) {
    add_submit_options(verb, options->options);
    verb.add_flag("--dry-run", options->is_dry_run,
                  "only say whether it would be accepted and when it would start");
    verb.add_flag("--wait", options->should_wait, "show its log and end with its exit code");
    verb.add_option("--idempotency-key", options->idempotency_key, "the same key never submits twice");
}

}  // namespace

void add_submit_verbs(CLI::App& app, Session& session) {
    auto run_options = std::make_shared<SubmitVerb>();
    CLI::App* run_verb =
        app.add_subcommand("run", "queue a program: nightshift run --vram 3G -- python train.py");
    add_common(*run_verb, run_options);
    run_verb->add_option("command", run_options->command, "the program and its arguments, after --")
        ->required();
    run_verb->positionals_at_end();
    run_verb->callback([&session, run_options] {
        json body = {{"kind", "command"}, {"command", run_options->command}};
        body["cwd"] = std::filesystem::current_path().string();
        add_fields(run_options->options, body);
        submit(session, *run_options, std::move(body));
    });

    auto options = std::make_shared<SubmitVerb>();
    CLI::App* verb =
        app.add_subcommand("submit", "queue a job: nightshift submit --kind generate -p preset=small");
    add_common(*verb, options);
    verb->add_option("file", options->file, "JSON body of the job; - reads standard input");
    verb->add_option("-k,--kind", options->kind, "a kind of `nightshift kinds`");
    verb->add_option("-p,--param", options->params, "KEY=VALUE, a parameter of the kind");
    verb->callback([&session, options] {
        if (options->file.empty() && options->kind.empty()) {
            throw Failure(kExitUsage, "submit needs a file or --kind",
                          "For example: nightshift submit --kind sleep -p seconds=5");
        }
        submit(session, *options, body_of(*options));
    });
}

}  // namespace nightshift::cli
