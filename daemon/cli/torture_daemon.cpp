#include "daemon/cli/torture_daemon.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

#include "daemon/cli/failure.h"
#include "daemon/cli/launch.h"
#include "daemon/cli/torture_process.h"

namespace nightshift::cli {

namespace fs = std::filesystem;

namespace {

constexpr int kPollMs = 2;
constexpr Millis kAnswerLimit = seconds(5);
constexpr int kLastLines = 5;
constexpr int kExitKilled = 137;

}  // namespace

std::int64_t steady_ms() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

TorturedDaemon::TorturedDaemon(std::string folder, std::string log_path)
    : folder_(std::move(folder)), log_path_(std::move(log_path)) {
    std::error_code error;
    fs::create_directories(folder_, error);
    fs::permissions(folder_, fs::perms::owner_all, error);
    if (error) throw Failure(kExitFailed, "cannot make " + folder_ + ": " + error.message());
}

TorturedDaemon::~TorturedDaemon() {
    end_at_once();
    for (const WorkerProcess& worker : workers_of(folder_)) kill_at_once(worker.pid);
}

void TorturedDaemon::spawn(const std::vector<std::string>& extra) {
    end_at_once();
    LaunchEnvironment environment{environment_, false};
    environment.added.insert(environment.added.end(), extra.begin(), extra.end());
    exit_code_.reset();
    spawned_at_ms_ = steady_ms();
    pid_ = launch_detached({daemon_program(), "--data", folder_, "--listen", "127.0.0.1:0", "--socket",
                            "none", "--simulate", "gpu=8GiB"},
                           log_path_, environment);
}

std::optional<Millis> TorturedDaemon::wait_ready(Millis limit) {
    while (is_running() && steady_ms() - spawned_at_ms_ < limit.value) {
        const Instance instance = read_instance(folder_);
        if (instance.pid == pid_) {
            try {
                HttpRequest request;
                request.target = "/readyz";
                request.timeout = kAnswerLimit;
                if (exchange(instance.endpoint, request).status == 200)
                    return Millis{steady_ms() - spawned_at_ms_};
            } catch (const Failure&) {
                // It may have been made to die at this very moment: the loop looks again.
            }
        }
        sleep_ms(kPollMs);
    }
    return std::nullopt;
}

void TorturedDaemon::end_at_once() {
    if (!is_running()) return;
    kill_at_once(pid_);
    exit_code_ = end_of(pid_);
}

int TorturedDaemon::stop(Millis limit) {
    if (is_running()) ask_to_stop(pid_);
    const std::int64_t end = steady_ms() + limit.value;
    while (is_running() && steady_ms() < end) sleep_ms(kPollMs);
    end_at_once();
    return exit_code_.value_or(kExitKilled);
}

bool TorturedDaemon::is_running() {
    if (pid_ == 0 || exit_code_) return false;
    exit_code_ = exit_code_of(pid_);
    return !exit_code_;
}

std::optional<int> TorturedDaemon::exit_code() {
    is_running();
    return exit_code_;
}

Client TorturedDaemon::client() const {
    return Client(Target{folder_, "", ""});
}

std::string TorturedDaemon::last_words() const {
    return tail_of(log_path_, kLastLines) +
           tail_of((fs::path(folder_) / "nightshiftd.log").string(), kLastLines);
}

}  // namespace nightshift::cli
