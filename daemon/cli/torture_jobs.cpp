#include "daemon/cli/torture_jobs.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <utility>

#include "daemon/cli/client.h"
#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/launch.h"
#include "daemon/cli/torture_daemon.h"

namespace nightshift::cli {

using nlohmann::json;

namespace {

constexpr int kRestMs = 10;
constexpr Millis kAnswerLimit = seconds(10);
constexpr int kRunTimeMsMax = 200;
constexpr int kBadEndEvery = 5;
constexpr int kBadExitCode = 7;

json body_of(const std::string& name, const std::string& record, int run_time_ms, int exit_code) {
    // One write of a short line with O_APPEND: lines of jobs that end together do not mix.
    const std::string script = "sleep 0." + std::string(run_time_ms < 100 ? "0" : "") +
                               std::string(run_time_ms < 10 ? "0" : "") + std::to_string(run_time_ms) +
                               R"(; echo "$NIGHTSHIFT_JOB_ID" >> "$1"; exit )" + std::to_string(exit_code);
    // Its time limit is far longer than it runs and far shorter than the jumps of the clock.
    return {{"kind", "command"},
            {"name", name},
            {"class", "synthesis"},
            {"cpu", 0},
            {"vram", 0},
            {"time_limit", "1h"},
            {"cwd", "/"},
            {"command", {"sh", "-c", script, "sh", record}}};
}

/// Submits until there is an answer. The id; 0 when `is_late` said to give up. Throws Failure when refused.
template <typename IsLate>
std::int64_t submit(const std::string& data_folder, const json& body, std::atomic<std::int64_t>& refusals,
                    IsLate is_late) {
    HttpRequest request;
    request.method = "POST";
    request.target = "/api/v1/jobs";
    request.body = body.dump();
    request.timeout = kAnswerLimit;
    std::string key = body["name"].get<std::string>();
    for (char& c : key) {
        if (c == ' ') c = '-';
    }
    request.headers = {{"Idempotency-Key", key}};
    while (!is_late()) {
        try {
            const HttpReply reply = Client(Target{data_folder, "", ""}).send_raw(request);
            const json answer = json::parse(reply.body, nullptr, false);
            if (reply.status == 201 && answer.is_object()) return number_at(answer, "id");
            if (reply.status == 507) ++refusals;
            if (reply.status >= 400 && reply.status < 500) throw_refusal(reply);
        } catch (const Failure& failure) {
            // Nobody there, or killed while it answered: the same key again, as a careful client does.
            if (failure.exit_code != kExitUnreachable) throw;
        }
        sleep_ms(kRestMs);
    }
    return 0;
}

}  // namespace

TortureJobs::TortureJobs(std::string data_folder, std::string record_path, std::uint64_t seed,
                         TortureReport& report)
    : data_folder_(std::move(data_folder)),
      record_path_(std::move(record_path)),
      seed_(seed),
      report_(report) {}

TortureJobs::~TortureJobs() {
    is_abandoned_ = true;
    end_round(Millis{0});
}

void TortureJobs::begin_round(int round) {
    round_.clear();
    is_over_ = false;
    give_up_at_ms_ = INT64_MAX;
    for (int thread = 0; thread < kThreads; ++thread) {
        const std::uint64_t seed = seed_ * 1'000'003 + static_cast<std::uint64_t>(round * kThreads + thread);
        threads_.emplace_back([this, round, thread, seed] { submit_round(round, thread, seed); });
    }
}

void TortureJobs::end_round(Millis limit) {
    is_over_ = true;
    give_up_at_ms_ = steady_ms() + limit.value;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    for (const auto& [id, job] : round_) all_[id] = job.name;
}

void TortureJobs::may_lose(std::int64_t job) {
    lossy_.insert(job);
}

void TortureJobs::submit_round(int round, int thread, std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    for (int n = 0; n < kJobsPerThread && !is_over_; ++n) {
        TortureJob job{
            "torture " + std::to_string(round) + " " + std::to_string(thread) + " " + std::to_string(n),
            n % kBadEndEvery == kBadEndEvery - 1 ? kBadExitCode : 0};
        const int run_time_ms = static_cast<int>(chance() % kRunTimeMsMax);
        try {
            const std::int64_t id =
                submit(data_folder_, body_of(job.name, record_path_, run_time_ms, job.exit_code), refusals_,
                       [this] { return is_abandoned_ || steady_ms() > give_up_at_ms_; });
            if (id == 0) {
                if (!is_abandoned_) report_.broke(Promise::kComesBack, "no answer to " + job.name);
                return;
            }
            const std::lock_guard lock(mutex_);
            round_[id] = std::move(job);
            newest_id_ = std::max<std::int64_t>(newest_id_, id);
        } catch (const std::exception& error) {
            report_.broke(Promise::kStored, job.name + " was refused: " + error.what());
            return;
        }
        sleep_ms(static_cast<int>(chance() % kRestMs));
    }
}

std::vector<std::int64_t> jobs_in_record(const std::string& text) {
    std::vector<std::int64_t> jobs;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::int64_t id = 0;
        const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), id);
        jobs.push_back(error == std::errc() && end == line.data() + line.size() && id > 0 ? id : -1);
    }
    return jobs;
}

}  // namespace nightshift::cli
