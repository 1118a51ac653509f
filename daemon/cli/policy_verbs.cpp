#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/session.h"
#include "daemon/cli/verbs.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

std::string pretty(const std::string& text) {
    const auto parsed = nlohmann::ordered_json::parse(text, nullptr, false);
    return parsed.is_discarded()
               ? text
               : parsed.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void show(Session& session) {
    HttpRequest request;
    request.target = "/api/v1/policy";
    const std::string text = pretty(session.client().send(std::move(request)).body);
    std::fwrite(text.data(), 1, text.size(), stdout);
}

void apply_policy(Session& session, const std::string& path) {
    std::ostringstream text;
    if (path == "-") {
        text << std::cin.rdbuf();
    } else {
        std::ifstream file(path);
        if (!file)
            throw Failure(kExitUsage, "cannot read " + path, "Check the path; - reads standard input.");
        text << file.rdbuf();
    }
    HttpRequest read;
    read.target = "/api/v1/policy";
    // The version read here guards the change: somebody else's policy in between is not overwritten.
    const std::string version = session.client().send(std::move(read)).header("ETag");
    HttpRequest request;
    request.method = "PUT";
    request.target = "/api/v1/policy";
    request.body = text.str();
    if (!version.empty()) request.headers.emplace_back("If-Match", version);
    const HttpReply reply = session.client().send(std::move(request));
    if (session.is_for_people()) {
        std::printf("the policy holds from now on; running jobs keep what they have\n");
    } else {
        std::printf("%s", pretty(reply.body).c_str());
    }
}

}  // namespace

void add_policy_verbs(CLI::App& app, Session& session) {
    CLI::App* parent = app.add_subcommand("policy", "windows, headroom and limits of the classes");
    parent->require_subcommand(1);
    parent->add_subcommand("show", "the policy in force, as JSON")->callback([&session] { show(session); });
    auto path = std::make_shared<std::string>();
    CLI::App* apply_verb = parent->add_subcommand("apply", "check a policy file and put it in force");
    apply_verb->add_option("file", *path, "JSON; - reads standard input")->required();
    apply_verb->callback([&session, path] { apply_policy(session, *path); });

    struct Pause {
        std::string reason, until;
    };
    auto pause = std::make_shared<Pause>();
    CLI::App* pause_verb = app.add_subcommand("pause", "start no more jobs; running ones go on");
    pause_verb->add_option("--reason", pause->reason, "shown to everybody whose job waits");
    pause_verb->add_option("--until", pause->until, "resume by itself: 06:00 or an RFC 3339 time");
    pause_verb->callback([&session, pause] {
        json body = json::object();
        if (!pause->reason.empty()) body["reason"] = pause->reason;
        if (!pause->until.empty()) body["until"] = pause->until;
        print_object(session.format, session.client().post("/api/v1/queue/pause", body),
                     "the queue is paused\n");
    });
    app.add_subcommand("resume", "start jobs again after a pause")->callback([&session] {
        print_object(session.format, session.client().post("/api/v1/queue/resume"), "the queue goes on\n");
    });
}

}  // namespace nightshift::cli
