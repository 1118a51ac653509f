#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "daemon/cli/failure.h"
#include "daemon/cli/session.h"
#include "daemon/cli/text.h"
#include "daemon/cli/verbs.h"

namespace {

using namespace nightshift::cli;

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

void add_global_options(CLI::App& app, Session& session) {
    static const std::map<std::string, Format> formats = {
        {"text", Format::kText},       {"wide", Format::kWide}, {"json", Format::kJson},
        {"jsonl", Format::kJsonLines}, {"csv", Format::kCsv},   {"id", Format::kId}};
    app.add_option("--data", session.target.data_folder, "the daemon's data folder")
        ->envname("NIGHTSHIFT_DATA")
        ->capture_default_str();
    app.add_option("--url", session.target.url, "address of the daemon: http://127.0.0.1:7390 or unix:PATH")
        ->envname("NIGHTSHIFT_URL");
    app.add_option("--auth", session.target.header_file,
                   "header file with the credential (default: in --data)")
        ->envname("NIGHTSHIFT_AUTH");
    app.add_option("-o,--output", session.format, "text, wide, json, jsonl, csv or id")
        ->transform(CLI::CheckedTransformer(formats).description(""));
    app.add_flag_callback(
        "-q,--quiet", [&session] { session.format = Format::kId; }, "ids only");
    // Global options may stand before or after the verb.
    app.fallthrough();
}

int fail(const Failure& failure) {
    std::fprintf(stderr, "nightshift: %s\n", harmless(failure.what()).c_str());
    if (!failure.hint.empty()) std::fprintf(stderr, "  %s\n", harmless(failure.hint, true).c_str());
    return failure.exit_code;
}

}  // namespace

int main(int argc, char** argv) {
    Session session;
    session.target.data_folder = environment("NIGHTSHIFT_DATA");
    if (session.target.data_folder.empty()) session.target.data_folder = default_data_folder();

    CLI::App app("Queues jobs for the one GPU of a machine, and says why they wait.", "nightshift");
    app.set_version_flag("--version", NIGHTSHIFT_VERSION);
    app.require_subcommand(1);
    app.failure_message(CLI::FailureMessage::simple);
    app.footer(
        "Start with `nightshift up`, then `nightshift demo`. `nightshift VERB --help` tells more.\n"
        "Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused, 5 no daemon, 124 time-out.");
    add_global_options(app, session);
    add_daemon_verbs(app, session);
    add_doctor_verb(app, session);
    add_demo_verb(app, session);
    add_submit_verbs(app, session);
    add_list_verbs(app, session);
    add_why_verb(app, session);
    add_log_verb(app, session);
    add_wait_verb(app, session);
    add_act_verbs(app, session);
    add_schedule_verbs(app, session);
    add_policy_verbs(app, session);
    add_plan_verbs(app, session);
    add_machine_verbs(app, session);
    add_storage_verbs(app, session);
    add_history_verbs(app, session);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? kExitOk : kExitUsage;
    } catch (const Failure& failure) {
        return fail(failure);
    } catch (const std::exception& error) {
        return fail(Failure(kExitFailed, error.what()));
    }
    return session.exit_code;
}
