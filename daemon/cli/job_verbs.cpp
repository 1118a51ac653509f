#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/follow.h"
#include "daemon/cli/job_text.h"
#include "daemon/cli/session.h"
#include "daemon/cli/text.h"
#include "daemon/cli/verbs.h"
#include "daemon/cli/why_text.h"
#include "scheduler/units.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

struct WaitOptions {
    std::vector<std::int64_t> ids;
    std::string until = "finished";
    std::string timeout;
};

std::optional<Millis> timeout_of(const std::string& text) {
    if (text.empty()) return std::nullopt;
    const Result<Millis> parsed = parse_duration(text);
    if (!parsed) throw Failure(kExitUsage, parsed.error().message, parsed.error().hint);
    return *parsed;
}

/// Waits for each in turn under one time limit; the first that is missing or late decides the exit code.
void wait(Session& session, const WaitOptions& options) {
    const std::optional<Millis> timeout = timeout_of(options.timeout);
    const std::int64_t start = now_ms();
    bool all_succeeded = true;
    json jobs = json::array();
    for (const std::int64_t id : options.ids) {
        std::optional<Millis> left = timeout;
        if (left) left->value = std::max<std::int64_t>(0, timeout->value - (now_ms() - start));
        const bool only_started = options.until == "started";
        json job = only_started ? wait_until_started(session.client(), id, left)
                                : wait_until_over(session.client(), id, left);
        if (session.is_for_people()) std::printf("%s\n", result_text(job).c_str());
        std::fflush(stdout);
        all_succeeded = all_succeeded && (only_started ? has(job, "started_at") : has_succeeded(job));
        jobs.push_back(std::move(job));
    }
    if (!session.is_for_people()) print(session.format, {}, jobs, "");
    session.exit_code = all_succeeded ? kExitOk : kExitFailed;
}

}  // namespace

void add_why_verb(CLI::App& app, Session& session) {
    auto id = std::make_shared<std::int64_t>(0);
    CLI::App* verb = app.add_subcommand("why", "why a job is not running, with numbers that add up");
    verb->add_option("id", *id, "number of the job")->required();
    verb->callback([&session, id] {
        const json why = session.client().get(job_path(*id, "why"));
        print_object(session.format, why, why_text(why));
    });
}

void add_log_verb(CLI::App& app, Session& session) {
    auto request = std::make_shared<LogRequest>();
    request->follow = false;
    CLI::App* verb = app.add_subcommand("logs", "what a job printed");
    verb->add_option("id", request->job, "number of the job")->required();
    verb->add_flag("-f,--follow", request->follow, "go on until the job ends");
    verb->add_option("-n,--tail", request->tail, "only the last lines")->check(CLI::NonNegativeNumber);
    verb->add_option("--attempt", request->attempt, "only this attempt")->check(CLI::PositiveNumber);
    verb->callback([&session, request] { follow_log(session.client(), *request); });
}

void add_wait_verb(CLI::App& app, Session& session) {
    auto options = std::make_shared<WaitOptions>();
    CLI::App* verb = app.add_subcommand("wait", "block until jobs end; exit code 0 when all succeeded");
    verb->add_option("ids", options->ids, "numbers of the jobs")->required();
    verb->add_option("--until", options->until, "finished or started")
        ->check(CLI::IsMember({"finished", "started"}))
        ->capture_default_str();
    verb->add_option("--timeout", options->timeout, "give up after 90s, 8h, ... with exit code 124");
    verb->callback([&session, options] { wait(session, *options); });
}

}  // namespace nightshift::cli
