#include "daemon/cli/torture_night.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "daemon/cli/failure.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/launch.h"
#include "daemon/cli/session.h"
#include "daemon/cli/torture_cut.h"
#include "daemon/cli/torture_process.h"
#include "scheduler/crash_point.h"

namespace nightshift::cli {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr int kSyncs = 200;
constexpr int kLaunchesMax = 300;

double milliseconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double wall_ms() {
    return std::chrono::duration<double, std::milli>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

TortureNight::TortureNight(fs::path folder, std::uint64_t seed, TortureReport& report)
    : folder_(std::move(folder)),
      seed_(seed),
      chance_(seed),
      report_(report),
      daemon_((folder_ / "data").string(), (folder_ / "daemon.log").string()),
      jobs_(daemon_.folder(), (folder_ / "record.txt").string(), seed, report),
      checks_(daemon_.folder(), jobs_, report) {
    set_clock(0);
    daemon_.set_environment({"NIGHTSHIFT_CLOCK_SHIFT=" + (folder_ / "clock").string()});
}

void TortureNight::set_clock(std::int64_t shift_ms) {
    const fs::path path = folder_ / "clock";
    if (!fs::exists(path)) std::ofstream(path, std::ios::binary) << std::string(sizeof shift_ms, '\0');
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.write(reinterpret_cast<const char*>(&shift_ms), sizeof shift_ms);
}

void TortureNight::restart() {
    daemon_.spawn();
    bring_up();
}

/// After this it runs, or the torture is over: without a daemon there is nothing more to see.
void TortureNight::bring_up() {
    if (const auto took = daemon_.wait_ready()) {
        report_.held(Promise::kComesBack);
        report_.measured("restart -> ready", static_cast<double>(took->value));
        return;
    }
    report_.broke(Promise::kComesBack, "it does not start: " + daemon_.last_words());
    throw Failure(kExitFailed, "the daemon does not start any more", daemon_.last_words());
}

void TortureNight::measure(Millis time) {
    const std::int64_t until = steady_ms() + time.value;
    for (const double took : durable_write_times((folder_ / "sync").string(), kSyncs, Millis{time.value / 4}))
        report_.measured("fdatasync of 4 KiB", took);
    restart();
    measure_start(until);
}

/// `date` tells when its first instructions ran; it waits for nothing, since the memory is free.
void TortureNight::measure_start(std::int64_t until_ms) {
    Client client = daemon_.client();
    for (int n = 0; n < kLaunchesMax && steady_ms() < until_ms && !StopRequests::is_asked(); ++n) {
        const std::string name = "torture date " + std::to_string(n);
        const json body = {{"kind", "command"}, {"name", name}, {"class", "inference"},        {"cpu", 0},
                           {"vram", 0},         {"cwd", "/"},   {"command", {"date", "+%s%N"}}};
        const double wall_before = wall_ms();
        const auto before = std::chrono::steady_clock::now();
        const std::int64_t id = number_at(client.post("/api/v1/jobs", body), "id");
        report_.measured("submit, acknowledged on disk", milliseconds_since(before));
        jobs_.add(id, name);
        client.get(job_path(id) + "?wait=10s&until=finished");
        HttpRequest request;
        request.target = job_path(id, "log");
        const std::string log = client.send(std::move(request)).body;
        std::int64_t nanoseconds = 0;
        std::from_chars(log.data(), log.data() + log.size(), nanoseconds);
        if (nanoseconds > 0)
            report_.measured("submit -> first instruction",
                             static_cast<double>(nanoseconds) / 1e6 - wall_before);
    }
}

std::string TortureNight::round() {
    if (acts_.empty()) {
        acts_ = {&TortureNight::kill_daemon,          &TortureNight::kill_while_it_starts,
                 &TortureNight::kill_workers,         &TortureNight::die_at_a_crash_point,
                 &TortureNight::die_at_a_crash_point, &TortureNight::fill_the_disk,
                 &TortureNight::jump_the_clock,       &TortureNight::pull_the_plug};
        std::shuffle(acts_.begin(), acts_.end(), chance_);
    }
    const Act act = acts_.back();
    acts_.pop_back();
    jobs_.begin_round(++rounds_);
    const std::string what = (this->*act)();
    if (!daemon_.is_running()) {
        report_.broke(Promise::kComesBack, "it ended by itself with code " +
                                               std::to_string(daemon_.exit_code().value_or(-1)) + ": " +
                                               daemon_.last_words());
        restart();
    }
    checks_.check_processes(daemon_.client());
    jobs_.end_round();
    if (!checks_.settle(daemon_.client())) return {};
    checks_.check_round(daemon_.client());
    return what;
}

std::string TortureNight::kill_daemon() {
    const int times = any(1, 4);
    for (int n = 0; n < times; ++n) {
        sleep_ms(any(0, 200));
        daemon_.end_at_once();
        report_.did("kills of the daemon");
        restart();
    }
    return "killed the daemon " + std::to_string(times) + " times";
}

std::string TortureNight::kill_while_it_starts() {
    const int times = any(2, 5);
    sleep_ms(any(20, 150));
    daemon_.end_at_once();
    for (int n = 0; n < times; ++n) {
        daemon_.spawn();
        sleep_ms(any(0, 80));
        daemon_.end_at_once();
        report_.did("kills of the daemon while it started");
    }
    restart();
    return "killed the daemon " + std::to_string(times) + " times while it started";
}

std::string TortureNight::kill_workers() {
    int killed = 0;
    Client client = daemon_.client();
    const std::int64_t end = steady_ms() + 2000;
    for (const int wanted = any(1, 4); killed < wanted && steady_ms() < end;) {
        const std::vector<WorkerProcess> workers = workers_of(daemon_.folder());
        if (workers.empty()) {
            sleep_ms(5);
            continue;
        }
        const WorkerProcess victim = workers[chance_() % workers.size()];
        jobs_.may_lose(victim.job);
        const auto before = std::chrono::steady_clock::now();
        kill_at_once(victim.pid);
        const json job = client.get(job_path(victim.job) + "?wait=10s&until=finished");
        if (text_at(object_at(job, "outcome"), "code") == "lost")
            report_.measured("kill of a worker -> recorded", milliseconds_since(before));
        report_.did("kills of workers");
        ++killed;
    }
    return "killed " + std::to_string(killed) + " workers";
}

std::string TortureNight::die_at_a_crash_point() {
    if (crash_points_.empty()) {
        crash_points_.assign(kCrashPoints.begin(), kCrashPoints.end());
        std::shuffle(crash_points_.begin(), crash_points_.end(), chance_);
    }
    const std::string point(crash_points_.back());
    crash_points_.pop_back();
    std::string armed = point;
    if (point.starts_with("worker.")) {
        // One of the jobs that are about to come.
        const std::int64_t victim = jobs_.newest_id() + any(2, 6);
        jobs_.may_lose(victim);
        armed += "@" + std::to_string(victim) + "/1";
    }
    armed += any(0, 1) == 0 ? ",exit" : ",kill";
    daemon_.end_at_once();
    daemon_.spawn({std::string(kCrashPointVariable) + "=" + armed});
    const std::int64_t end = steady_ms() + 700;
    while (daemon_.is_running() && steady_ms() < end) sleep_ms(5);
    // Some points lie on the way down.
    daemon_.stop(seconds(5));
    const int code = daemon_.exit_code().value_or(0);
    const bool is_reached = code == kExitCrashPoint || code == 137;
    if (is_reached) report_.did("deaths at a crash point");
    restart();
    if (point.starts_with("worker.")) return "armed a worker to die at " + armed;
    return (is_reached ? "it died at " : "it passed by ") + armed;
}

std::string TortureNight::fill_the_disk() {
    // Below what the database and its log already have, so that the next transaction finds no room; results
    // of attempts and lines of the record fit.
    const Bytes limit{any(16, 64) * 1024};
    const std::int64_t refusals = jobs_.refusals();
    if (!limit_file_size(daemon_.pid(), limit)) {
        report_.skipped("full disk", "this system does not let a process limit another (prlimit)");
        return "could not take the room away";
    }
    const std::int64_t end = steady_ms() + 1500;
    while (jobs_.refusals() == refusals && daemon_.is_running() && steady_ms() < end) sleep_ms(5);
    sleep_ms(any(0, 200));
    limit_file_size(daemon_.pid(), std::nullopt);
    if (jobs_.refusals() == refusals) return "took the room away; nobody noticed";
    report_.did("full disks (writes are refused)");
    return "took the room away and gave it back";
}

std::string TortureNight::jump_the_clock() {
    static constexpr std::array<std::int64_t, 6> kJumpsS = {1, 3600, 86'400, -1, -3600, -86'400};
    const std::int64_t jump = kJumpsS[chance_() % kJumpsS.size()];
    sleep_ms(any(0, 100));
    set_clock(jump * 1000);
    report_.did("jumps of the clock, 1 s to a day");
    sleep_ms(any(50, 200));
    return "set the clock to " + std::to_string(jump) + " s from now";
}

std::string TortureNight::pull_the_plug() {
    cut_power((folder_ / "cut").string(), chance_(), report_);
    return "pulled the plug on another daemon amid submits";
}

void TortureNight::finish() {
    checks_.check_all(daemon_.client());
    const int code = daemon_.stop();
    if (code != 0)
        report_.broke(Promise::kComesBack, "it was asked to stop and ended with " + std::to_string(code));
}

}  // namespace nightshift::cli
