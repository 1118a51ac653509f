#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/session.h"
#include "daemon/cli/submit_options.h"
#include "daemon/cli/text.h"
#include "daemon/cli/verbs.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

/// An action on one job: its route below /jobs/{id} and what a person reads afterwards.
struct Action {
    const char* verb;
    const char* help;
    const char* done;
};

constexpr Action kActions[] = {
    {"cancel", "end jobs, running or not", "is asked to end"},
    {"hold", "keep waiting jobs back", "is held"},
    {"release", "let held jobs go on", "is released"},
    {"preempt", "let running jobs save and queue again", "is asked to save and leave"},
};

/// Applies `act` to each job. One that fails does not keep the others back; the first failure decides
/// the exit code.
template <typename Act>
void for_each(Session& session, const std::vector<std::int64_t>& ids, Act act) {
    json replies = json::array();
    for (const std::int64_t id : ids) {
        try {
            replies.push_back(act(id));
        } catch (const Failure& failure) {
            if (failure.exit_code == kExitUnreachable) throw;
            std::fprintf(stderr, "nightshift: job %lld: %s\n", static_cast<long long>(id), failure.what());
            if (!failure.hint.empty()) std::fprintf(stderr, "  %s\n", failure.hint.c_str());
            if (session.exit_code == kExitOk) session.exit_code = failure.exit_code;
        }
    }
    if (!session.is_for_people()) print(session.format, {}, replies, "");
}

void add_action(CLI::App& app, Session& session, const Action& action) {
    auto ids = std::make_shared<std::vector<std::int64_t>>();
    CLI::App* verb = app.add_subcommand(action.verb, action.help);
    verb->add_option("ids", *ids, "numbers of the jobs")->required();
    verb->callback([&session, ids, action] {
        for_each(session, *ids, [&](std::int64_t id) {
            const json reply = session.client().post(job_path(id, action.verb));
            if (session.is_for_people())
                std::printf("job %lld %s\n", static_cast<long long>(id), action.done);
            return reply;
        });
    });
}

void add_retry(CLI::App& app, Session& session) {
    auto ids = std::make_shared<std::vector<std::int64_t>>();
    auto with_dependents = std::make_shared<bool>(false);
    CLI::App* verb =
        app.add_subcommand("retry", "run ended jobs again as new jobs, from their last checkpoint");
    verb->add_option("ids", *ids, "numbers of the jobs")->required();
    verb->add_flag("--dependents", *with_dependents, "also the jobs that were skipped because of them");
    verb->callback([&session, ids, with_dependents] {
        for_each(session, *ids, [&](std::int64_t id) {
            const json reply =
                session.client().post(job_path(id, "retry") + (*with_dependents ? "?dependents=1" : ""));
            if (session.is_for_people()) {
                std::printf("job %s runs job %lld again\n", text_at(reply, "id").c_str(),
                            static_cast<long long>(id));
            }
            return reply;
        });
    });
}

void add_edit(CLI::App& app, Session& session) {
    struct Edit {
        std::int64_t id = 0;
        SubmitOptions options;
        std::vector<std::string> params;
    };
    auto edit = std::make_shared<Edit>();
    CLI::App* verb = app.add_subcommand("edit", "change a waiting job: nightshift edit 7 --vram 2GiB");
    verb->add_option("id", edit->id, "number of the job")->required();
    add_submit_options(*verb, edit->options);
    verb->add_option("-p,--param", edit->params, "KEY=VALUE, a parameter of the kind");
    verb->callback([&session, edit] {
        json patch = json::object();
        for (const std::string& text : edit->params) add_param(text, patch["params"]);
        add_fields(edit->options, patch);
        if (patch.empty())
            throw Failure(kExitUsage, "nothing to change", "Name a field: --vram, --priority, --name, ...");
        HttpRequest read;
        read.target = job_path(edit->id);
        // The version read here guards the change: somebody else's edit in between is not overwritten.
        const std::string version = session.client().send(std::move(read)).header("ETag");
        HttpRequest request;
        request.method = "PATCH";
        request.target = job_path(edit->id);
        request.body = patch.dump();
        request.content_type = "application/merge-patch+json";
        request.headers.emplace_back("If-Match", version);
        const json job = json::parse(session.client().send(std::move(request)).body, nullptr, false);
        print_object(session.format, job, "job " + std::to_string(edit->id) + " is changed\n");
    });
}

void add_move(CLI::App& app, Session& session) {
    struct Move {
        std::int64_t id = 0;
        std::optional<std::int64_t> before, after;
        bool to_front = false;
    };
    auto move = std::make_shared<Move>();
    CLI::App* verb = app.add_subcommand("move", "change a waiting job's place within its class");
    verb->add_option("id", move->id, "number of the job")->required();
    CLI::Option_group* place = verb->add_option_group("place");
    place->add_option("--before", move->before, "in front of this job");
    place->add_option("--after", move->after, "behind this job");
    place->add_flag("--front", move->to_front, "in front of all");
    place->require_option(1);
    verb->callback([&session, move] {
        json body = json::object();
        if (move->before) body["before"] = *move->before;
        if (move->after) body["after"] = *move->after;
        if (move->to_front) body["to"] = "front";
        const json reply = session.client().post(job_path(move->id, "move"), body);
        print_object(session.format, reply, "job " + std::to_string(move->id) + " is moved\n");
    });
}

}  // namespace

void add_act_verbs(CLI::App& app, Session& session) {
    for (const Action& action : kActions) add_action(app, session, action);
    add_retry(app, session);
    add_edit(app, session);
    add_move(app, session);
}

}  // namespace nightshift::cli
