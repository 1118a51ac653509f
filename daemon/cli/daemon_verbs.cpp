#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "daemon/cli/dashboard.h"
#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/launch.h"
#include "daemon/cli/session.h"
#include "daemon/cli/text.h"
#include "daemon/cli/verbs.h"

namespace nightshift::cli {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr int kReadyTimeoutMs = 60'000;
constexpr int kStopTimeoutMs = 180'000;  ///< longer than the policy's preemption grace
constexpr int kPollMs = 20;
constexpr int kLogLinesShown = 15;

struct UpOptions {
    std::string listen, policy, simulate, log_level;
};

bool runs(const Instance& instance) {
    return is_running(instance.pid, instance.start_ticks);
}

/// The daemon is ready when /readyz says so; instance.json tells where.
bool is_ready(const Session& session, std::int64_t pid) {
    const Instance instance = read_instance(session.target.data_folder);
    if (instance.pid != pid) return false;
    try {
        HttpRequest request;
        request.target = "/readyz";
        request.timeout = seconds(5);
        return exchange(instance.endpoint, request).status == 200;
    } catch (const Failure&) {
        return false;
    }
}

void print_running(const Session& session, const Instance& instance, const char* how) {
    const json object = {{"id", instance.pid},
                         {"pid", instance.pid},
                         {"url", instance.endpoint.url()},
                         {"data", session.target.data_folder},
                         {"version", instance.version}};
    print_object(session.format, object,
                 "nightshift " + std::string(how) + " at " + instance.endpoint.url() + " (pid " +
                     std::to_string(instance.pid) + ", data in " + session.target.data_folder + ")\n");
}

void up(Session& session, const UpOptions& options) {
    const std::string& folder = session.target.data_folder;
    if (const Instance instance = read_instance(folder); instance.pid != 0 && runs(instance)) {
        return print_running(session, instance, "already runs");
    }
    std::error_code error;
    fs::create_directories(fs::path(folder).parent_path(), error);
    if (fs::create_directory(folder, error)) fs::permissions(folder, fs::perms::owner_all, error);
    if (!fs::is_directory(folder)) {
        throw Failure(kExitFailed, "cannot make the data folder " + folder + ": " + error.message(),
                      "Choose another with --data DIR.");
    }
    std::vector<std::string> argv = {daemon_program(), "--data", fs::absolute(folder).string()};
    const auto pass_on = [&argv](const char* name, const std::string& value) {
        if (!value.empty()) argv.insert(argv.end(), {name, value});
    };
    pass_on("--listen", options.listen);
    pass_on("--policy", options.policy.empty() ? "" : fs::absolute(options.policy).string());
    pass_on("--simulate", options.simulate);
    pass_on("--log-level", options.log_level);
    const std::string log_path = (fs::path(folder) / "start.log").string();
    const std::int64_t pid = launch_detached(argv, log_path);
    for (int waited = 0; waited < kReadyTimeoutMs; waited += kPollMs) {
        if (is_ready(session, pid)) return print_running(session, read_instance(folder), "runs");
        if (const auto code = exit_code_of(pid)) {
            std::string hint = tail_of(log_path, kLogLinesShown);
            if (hint.empty()) hint = tail_of((fs::path(folder) / "nightshiftd.log").string(), kLogLinesShown);
            if (*code == 69) hint += "`nightshift up --listen 127.0.0.1:0` picks a free port.";
            throw Failure(*code == 69 || *code == 78 ? kExitRefused : kExitFailed,
                          "nightshiftd ended with exit code " + std::to_string(*code), hint);
        }
        sleep_ms(kPollMs);
    }
    throw Failure(kExitTimeout, "nightshiftd (pid " + std::to_string(pid) + ") is not ready after 60 s",
                  "Its log: " + log_path);
}

/// The daemon asks its jobs to save and leave, then ends; without an answer it gets SIGTERM, which
/// leaves the jobs running for the next daemon.
void down(Session& session, bool keep_jobs) {
    const Instance instance = read_instance(session.target.data_folder);
    if (instance.pid == 0 || !runs(instance)) {
        if (session.is_for_people())
            std::printf("no daemon runs in %s\n", session.target.data_folder.c_str());
        return;
    }
    bool is_asked = false;
    if (!keep_jobs) {
        HttpRequest request;
        request.method = "POST";
        request.target = "/api/v1/shutdown";
        request.body = R"({"yield_jobs": true})";
        const HttpReply reply = session.client().send_raw(request);
        is_asked = reply.status < 300;
        if (!is_asked && reply.status != 404) throw_refusal(reply);
    }
    if (!is_asked && !ask_to_stop(instance.pid)) {
        throw Failure(kExitRefused, "cannot stop process " + std::to_string(instance.pid),
                      "It belongs to another user: run this as that user.");
    }
    if (session.is_for_people() && !keep_jobs) std::printf("asking the jobs to save and leave ...\n");
    for (int waited = 0; waited < kStopTimeoutMs; waited += kPollMs) {
        if (!runs(instance)) {
            if (session.is_for_people()) std::printf("nightshift stopped\n");
            return;
        }
        sleep_ms(kPollMs);
    }
    throw Failure(kExitTimeout, "the daemon (pid " + std::to_string(instance.pid) + ") still stops its jobs",
                  "`nightshift down` again waits on.");
}

std::string status_text(const json& status) {
    std::string text;
    const auto line = [&text](const char* name, const std::string& value) {
        if (!value.empty()) text += pad_right(name, 12) + harmless(value) + "\n";
    };
    line("version", text_at(status, "version"));
    line("pid", text_at(status, "pid"));
    line("data", text_at(status, "data_folder"));
    line("since", local_time(text_at(status, "started_at")));
    for (const json& device : array_at(status, "devices")) {
        std::string memory =
            size_text(number_at(device, "free")) + " free of " + size_text(number_at(device, "total"));
        line("device", text_at(device, "name") + ": " + memory);
    }
    const json& queue = object_at(status, "queue");
    if (flag_at(queue, "paused")) {
        const std::string reason = text_at(queue, "reason");
        line("queue", "paused" + (reason.empty() ? "" : ": " + reason));
    }
    if (flag_at(queue, "draining")) line("queue", "stopping: no new job starts");
    std::string counts;
    for (const auto& [state, count] : object_at(status, "counts").items()) {
        if (count.is_number()) counts += (counts.empty() ? "" : ", ") + count.dump() + " " + state;
    }
    line("jobs", counts.empty() ? "none yet" : counts);
    return text;
}

void open_dashboard(Session& session, bool only_print) {
    const Dashboard dashboard = sign_in(session.client());
    const json object = {{"id", dashboard.url}, {"url", dashboard.url}, {"expires_in", 60}};
    if (!only_print && session.is_for_people()) {
        const std::string path = write_forwarding_page(session.target.data_folder, dashboard);
        if (open_in_browser(path)) {
            std::printf("opened the dashboard in your browser (%s)\n",
                        session.client().endpoint().url().c_str());
            return;
        }
    }
    print_object(session.format, object,
                 "Open this address within 60 seconds, it signs you in once:\n  " + dashboard.url + "\n");
}

}  // namespace

void add_daemon_verbs(CLI::App& app, Session& session) {
    auto options = std::make_shared<UpOptions>();
    CLI::App* up_verb = app.add_subcommand("up", "start a daemon of your own, no administrator needed");
    up_verb->add_option("--listen", options->listen,
                        "address and port (default 127.0.0.1:7390; port 0 = a free one)");
    up_verb->add_option("--policy", options->policy, "policy file")->check(CLI::ExistingFile);
    up_verb->add_option("--simulate", options->simulate, "fake GPUs for trying things: gpu=8GiB");
    up_verb->add_option("--log-level", options->log_level, "debug, info, warn or error");
    up_verb->callback([&session, options] { up(session, *options); });

    auto keep_jobs = std::make_shared<bool>(false);
    CLI::App* down_verb = app.add_subcommand("down", "let the jobs save, then stop the daemon");
    down_verb->add_flag("--keep-jobs", *keep_jobs, "stop only the daemon; the next one adopts its jobs");
    down_verb->callback([&session, keep_jobs] { down(session, *keep_jobs); });

    app.add_subcommand("status", "the daemon and its queue in a few lines")->callback([&session] {
        const json status = session.client().get("/api/v1/status");
        print_object(session.format, status, status_text(status));
    });

    auto only_print = std::make_shared<bool>(false);
    CLI::App* open_verb = app.add_subcommand("open", "open the dashboard, signed in");
    open_verb->add_flag("--print", *only_print, "only print the address");
    open_verb->callback([&session, only_print] { open_dashboard(session, *only_print); });
}

}  // namespace nightshift::cli
