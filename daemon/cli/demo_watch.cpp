#include "daemon/cli/demo_watch.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "daemon/cli/client.h"
#include "daemon/cli/demo_night.h"
#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/job_text.h"
#include "daemon/cli/launch.h"
#include "daemon/cli/session.h"
#include "daemon/cli/text.h"
#include "daemon/cli/why_text.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

constexpr int kLookEveryMs = 150;
constexpr int kLogLinesShown = 12;

}  // namespace

DemoWatch::DemoWatch(Client& client, bool is_silent, std::int64_t limit_ms)
    : client_(client), is_silent_(is_silent), start_ms_(now_ms()), end_ms_(start_ms_ + limit_ms) {}

void DemoWatch::say(const std::string& line) const {
    if (is_silent_) return;
    const std::int64_t seconds = (now_ms() - start_ms_) / 1000;
    std::printf("%2lld:%02lld  %s\n", static_cast<long long>(seconds / 60),
                static_cast<long long>(seconds % 60), harmless(line).c_str());
    std::fflush(stdout);
}

std::int64_t DemoWatch::submit(const json& body) {
    const json job = client_.post("/api/v1/jobs", body);
    const std::int64_t id = number_at(job, "id");
    ids_.push_back(id);
    states_[id] = text_at(job, "state");
    newest_[id] = job.dump();
    std::string line = "job " + std::to_string(id) + " " + text_at(job, "name") + " is submitted (" +
                       text_at(job, "class") + ", " + text_at(job, "kind");
    if (number_at(job, "vram") > 0) line += ", " + size_text(number_at(job, "vram"));
    say(line + ")");
    return id;
}

void DemoWatch::tell(const json& job) {
    const std::int64_t id = number_at(job, "id");
    const std::string state = text_at(job, "state");
    std::string& told = states_[id];
    if (told == state) return;
    const std::string name = "job " + std::to_string(id) + " " + text_at(job, "name");
    if (state == "running" && number_at(job, "preemptions") > 0) {
        say(name + " goes on from its checkpoint");
    } else if (state == "running") {
        say(name + " runs");
    } else if (state == "yielding") {
        say(name + " saves its state to make way");
    } else if (state == "waiting" && number_at(job, "preemptions") > 0) {
        say(name + " made way and keeps its place");
    } else if (is_over(job)) {
        say(name + ": " + state + " after " + run_text(job) +
            (reason_text(job).empty() ? "" : " (" + reason_text(job) + ")"));
    }
    told = state;
}

void DemoWatch::look() {
    // One request for all: they are the newest jobs with the demo's prefix.
    const json page = client_.get("/api/v1/jobs?limit=50&q=" + std::string(kDemoPrefix));
    std::vector<json> jobs;
    for (const json& job : array_at(page, "jobs")) {
        if (std::find(ids_.begin(), ids_.end(), number_at(job, "id")) != ids_.end()) jobs.push_back(job);
    }
    std::reverse(jobs.begin(), jobs.end());
    for (const json& job : jobs) {
        newest_[number_at(job, "id")] = job.dump();
        tell(job);
    }
}

json DemoWatch::wait(std::int64_t id, const std::function<bool(const json&)>& is_reached) {
    while (true) {
        look();
        json job = json::parse(newest_[id], nullptr, false);
        if (is_reached(job)) return job;
        if (is_over(job)) {
            const HttpReply log = [&] {
                HttpRequest request;
                request.target = job_path(id, "log") + "?tail=" + std::to_string(kLogLinesShown);
                return client_.send_raw(std::move(request));
            }();
            throw Failure(kExitFailed, result_text(job), log.body);
        }
        if (now_ms() > end_ms_) give_up(id);
        sleep_ms(kLookEveryMs);
    }
}

void DemoWatch::wait_for_all() {
    const auto is_done = [this](std::int64_t id) {
        return is_over(json::parse(newest_[id], nullptr, false));
    };
    while (true) {
        look();
        const auto open = std::find_if_not(ids_.begin(), ids_.end(), is_done);
        if (open == ids_.end()) return;
        if (now_ms() > end_ms_) give_up(*open);
        sleep_ms(kLookEveryMs);
    }
}

void DemoWatch::give_up(std::int64_t id) {
    throw Failure(kExitTimeout, "the demo took too long: job " + std::to_string(id) + " is not over",
                  why_text(client_.get(job_path(id, "why"))));
}

}  // namespace nightshift::cli
