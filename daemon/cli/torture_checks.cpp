#include "daemon/cli/torture_checks.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/job_text.h"
#include "daemon/cli/launch.h"
#include "daemon/cli/session.h"
#include "daemon/cli/torture_daemon.h"
#include "daemon/cli/torture_process.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

constexpr int kPollMs = 10;
constexpr Millis kProcessLimit = seconds(5);

std::string job_name(std::int64_t id) {
    return "job " + std::to_string(id);
}

/// Every job from the newest down to `oldest`, once each.
void each_job(Client& client, std::int64_t oldest, const std::function<void(const json&)>& look) {
    std::string cursor;
    do {
        const json page = client.get("/api/v1/jobs?limit=200" + (cursor.empty() ? "" : "&cursor=" + cursor));
        for (const json& job : array_at(page, "jobs")) {
            if (number_at(job, "id") < oldest) return;
            look(job);
        }
        cursor = text_at(page, "next");
    } while (!cursor.empty());
}

bool has_worker(const std::string& data_folder, std::int64_t job) {
    const auto workers = workers_of(data_folder);
    return std::any_of(workers.begin(), workers.end(),
                       [job](const WorkerProcess& worker) { return worker.job == job; });
}

bool is_end(const std::string& kind) {
    static const std::set<std::string> kinds = {"succeeded", "failed", "cancelled", "skipped", "expired"};
    return kinds.contains(kind);
}

}  // namespace

TortureChecks::TortureChecks(std::string data_folder, TortureJobs& jobs, TortureReport& report)
    : data_folder_(std::move(data_folder)), jobs_(jobs), report_(report) {}

bool TortureChecks::settle(Client client, Millis limit) {
    const std::int64_t end = steady_ms() + limit.value;
    for (const auto& [id, wanted] : jobs_.of_round()) {
        json job;
        do {
            if (StopRequests::is_asked()) return false;
            HttpRequest request;
            request.target = job_path(id) + "?wait=1s&until=finished";
            const HttpReply reply = client.send_raw(std::move(request));
            if (reply.status == 404) break;  // check_round() says that it is not there
            job = json::parse(reply.body, nullptr, false);
        } while (!is_over(job) && steady_ms() < end);
    }
    while (!workers_of(data_folder_).empty() && steady_ms() < end) sleep_ms(kPollMs);
    for (const WorkerProcess& worker : workers_of(data_folder_))
        report_.broke(Promise::kProcess, "a worker of " + job_name(worker.job) + " is left over");
    return true;
}

void TortureChecks::check_round(Client client) {
    std::map<std::int64_t, int> found;
    std::map<std::string, int> names;
    each_job(client, last_job_ + 1, [&](const json& job) {
        const std::int64_t id = number_at(job, "id");
        ++found[id];
        ++names[text_at(job, "name")];
        if (const auto wanted = jobs_.of_round().find(id); wanted != jobs_.of_round().end())
            check_stored(job, wanted->second);
    });
    for (const auto& [id, wanted] : jobs_.of_round()) {
        const int times = names[wanted.name];
        if (!found.contains(id)) {
            report_.broke(Promise::kStored, job_name(id) + " was acknowledged and is not there");
        } else if (times != 1) {
            report_.broke(Promise::kStored, wanted.name + " is stored " + std::to_string(times) + " times");
        } else {
            report_.held(Promise::kStored);
        }
    }
    check_record();
    check_events(client);
    check_invariants(client);
    last_job_ = jobs_.newest_id();
}

void TortureChecks::check_stored(const json& job, const TortureJob& wanted) {
    const std::int64_t id = number_at(job, "id");
    const std::string state = text_at(job, "state");
    if (!is_over(job))
        return report_.broke(Promise::kTrueEnd, job_name(id) + " does not end: it is " + state);
    report_.held(Promise::kProcess);
    const json& outcome = object_at(job, "outcome");
    if (jobs_.is_lossy(id) && text_at(outcome, "code") == "lost") return report_.held(Promise::kTrueEnd);
    const bool is_true = state == (wanted.exit_code == 0 ? "succeeded" : "failed") &&
                         has(outcome, "exit_code") && number_at(outcome, "exit_code") == wanted.exit_code;
    if (is_true) return report_.held(Promise::kTrueEnd);
    report_.broke(Promise::kTrueEnd, job_name(id) + " ended with exit code " +
                                         std::to_string(wanted.exit_code) + " and is recorded as " + state +
                                         " " + outcome.dump());
}

void TortureChecks::check_record() {
    std::ifstream file(jobs_.record_path(), std::ios::binary);
    file.seekg(record_read_);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    record_read_ += static_cast<std::int64_t>(text.size());
    for (const std::int64_t id : jobs_in_record(text)) {
        if (!ended_.insert(id).second)
            report_.broke(Promise::kRunsOnce, job_name(id) + " ran to its end twice");
    }
    for (const auto& [id, wanted] : jobs_.of_round()) {
        if (ended_.contains(id)) {
            report_.held(Promise::kRunsOnce);
        } else if (!jobs_.is_lossy(id)) {
            report_.broke(Promise::kRunsOnce, job_name(id) + " left no line: it never ran to its end");
        }
    }
}

void TortureChecks::check_events(Client& client) {
    const std::int64_t newest = number_at(client.get("/api/v1/status"), "last_event");
    std::map<std::int64_t, std::pair<int, int>> jobs;  // beginnings and ends
    std::string rest;
    std::int64_t expected = last_event_ + 1;
    HttpRequest request;
    request.target = "/api/v1/events?after=" + std::to_string(last_event_);
    if (newest <= last_event_) return;
    client.follow(std::move(request), [&](const HttpReply&, std::string_view bytes) {
        rest += bytes;
        for (std::size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
            const std::string line = rest.substr(0, end);
            rest.erase(0, end + 1);
            if (!line.starts_with("data: ")) continue;
            const json event = json::parse(line.substr(6), nullptr, false);
            const std::int64_t seq = number_at(event, "seq");
            if (seq == 0) continue;
            if (seq != expected) {
                report_.broke(Promise::kEvents, "event " + std::to_string(seq) + " follows on event " +
                                                    std::to_string(expected - 1));
            }
            expected = seq + 1;
            auto& [begun, ended] = jobs[number_at(event, "job")];
            if (text_at(event, "kind") == "submitted") ++begun;
            if (is_end(text_at(event, "kind"))) ++ended;
        }
        return expected <= newest;
    });
    last_event_ = std::max(last_event_, expected - 1);
    for (const auto& [id, wanted] : jobs_.of_round()) {
        const auto [begun, ended] = jobs[id];
        if (begun == 1 && ended == 1) {
            report_.held(Promise::kEvents);
        } else {
            report_.broke(Promise::kEvents, job_name(id) + " has " + std::to_string(begun) +
                                                " beginnings and " + std::to_string(ended) + " ends");
        }
    }
}

void TortureChecks::check_invariants(Client& client) {
    const json answer = client.get("/api/v1/selfcheck");
    for (const json& check : array_at(answer, "checks")) {
        if (flag_at(check, "ok")) {
            report_.held(Promise::kInvariants);
        } else {
            report_.broke(Promise::kInvariants, text_at(check, "code") + " " + text_at(check, "name") + ": " +
                                                    array_at(check, "broken").dump());
        }
    }
}

void TortureChecks::check_all(Client client) {
    std::unordered_set<std::int64_t> seen;
    each_job(client, 1, [&](const json& job) {
        const std::int64_t id = number_at(job, "id");
        const auto known = jobs_.all().find(id);
        if (!seen.insert(id).second || known == jobs_.all().end() || known->second != text_at(job, "name"))
            report_.broke(Promise::kStored, job_name(id) + " is not what was acknowledged");
    });
    for (const auto& [id, name] : jobs_.all()) {
        if (!seen.contains(id)) report_.broke(Promise::kStored, job_name(id) + " is gone");
    }
    for (const std::int64_t id : ended_) {
        if (!jobs_.all().contains(id))
            report_.broke(Promise::kRunsOnce, job_name(id) + " ran and was never acknowledged");
    }
}

void TortureChecks::check_processes(Client client) {
    const json page = client.get("/api/v1/jobs?state=running&limit=200");
    for (const json& job : array_at(page, "jobs")) {
        const std::int64_t id = number_at(job, "id");
        const std::int64_t end = steady_ms() + kProcessLimit.value;
        // It may end between the two looks; its end is stored soon after.
        bool is_true = has_worker(data_folder_, id);
        while (!is_true && steady_ms() < end) {
            is_true = text_at(client.get(job_path(id)), "state") != "running" || has_worker(data_folder_, id);
            if (!is_true) sleep_ms(kPollMs);
        }
        if (is_true) {
            report_.held(Promise::kProcess);
        } else {
            report_.broke(Promise::kProcess, job_name(id) + " is said to run and has no process");
        }
    }
}

}  // namespace nightshift::cli
