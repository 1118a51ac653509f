#include "jobs/runtime/guard.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nightshift::jobs {
namespace {

/// Above the daemon's and an editor's, below a browser tab's.
constexpr const char* kOomScore = "500";

constexpr int kStopLooksMax = 50;

std::atomic<StopSignal*> g_stop{nullptr};
std::atomic<int> g_signals{0};
std::atomic<int> g_first{0};
std::atomic<std::int64_t> g_last_signal_ms{0};

/// Wrappers such as timeout(1) send a signal to the process and again to its group: within this time it
/// is one request.
constexpr std::int64_t kSameSignal_ms = 300;

std::int64_t steady_ms_in_handler() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);  // safe in a handler, unlike what std::chrono promises
    return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

extern "C" void on_stop_signal(int number) {
    const std::int64_t now_ms = steady_ms_in_handler();
    if (now_ms - g_last_signal_ms.load() < kSameSignal_ms) return;
    g_last_signal_ms = now_ms;
    const int count = g_signals.fetch_add(1);
    if (count >= 2) {
        ::signal(number, SIG_DFL);
        ::raise(number);
        return;
    }
    if (StopSignal* stop = g_stop.load()) {
        stop->ask_from_handler(count == 0 ? static_cast<StopLevel>(g_first.load()) : StopLevel::kCancel);
    }
}

struct ProcessRow {
    std::int64_t pid = 0, parent = 0, threads = 0, start_ticks = 0;
    char state = '?';

    /// One whose first thread has left shows as a zombie, too, while its other threads go on.
    bool has_ended() const { return state == 'X' || (state == 'Z' && threads <= 1); }
};

/// Fields of /proc/PID/stat; the name in brackets may hold anything, so they are counted from its end.
bool read_stat(std::int64_t pid, ProcessRow& row) {
    std::ifstream stream("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    if (!std::getline(stream, line, '\0') && line.empty()) return false;
    const std::size_t bracket = line.rfind(')');
    if (bracket == std::string::npos) return false;
    std::vector<std::string> fields;
    std::string field;
    for (const char c : line.substr(bracket + 1)) {
        if (c == ' ' || c == '\n') {
            if (!field.empty()) fields.push_back(std::move(field));
            field.clear();
        } else {
            field += c;
        }
    }
    if (fields.size() < 20) return false;
    row.pid = pid;
    row.state = fields[0][0];
    row.parent = std::stoll(fields[1]);
    row.threads = std::stoll(fields[17]);
    row.start_ticks = std::stoll(fields[19]);
    return true;
}

std::vector<ProcessRow> list_processes() {
    std::vector<ProcessRow> rows;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
        const std::string name = entry.path().filename().string();
        std::int64_t pid = 0;
        const auto [end, status] = std::from_chars(name.data(), name.data() + name.size(), pid);
        ProcessRow row;
        if (status == std::errc() && end == name.data() + name.size() && read_stat(pid, row))
            rows.push_back(row);
    }
    return rows;
}

/// Every descendant that has not ended.
std::vector<ProcessRow> list_descendants() {
    const std::vector<ProcessRow> rows = list_processes();
    std::vector<std::int64_t> family{::getpid()};
    std::vector<ProcessRow> alive;
    for (std::size_t i = 0; i < family.size(); ++i) {
        for (const ProcessRow& row : rows) {
            if (row.parent != family[i]) continue;
            family.push_back(row.pid);
            if (!row.has_ended()) alive.push_back(row);
        }
    }
    return alive;
}

/// Stops every descendant, so that none can answer the death of another with a fork, and looks again until
/// a look finds nobody new. Then nobody is left who could start another.
std::vector<ProcessRow> stop_descendants() {
    std::set<std::int64_t> stopped;
    std::vector<ProcessRow> alive;
    for (int look = 0; look < kStopLooksMax; ++look) {
        alive = list_descendants();
        bool is_new = false;
        for (const ProcessRow& row : alive) {
            if (!stopped.insert(row.pid).second) continue;
            is_new = true;
            ::kill(static_cast<pid_t>(row.pid), SIGSTOP);
        }
        if (!is_new) break;
    }
    return alive;
}

bool is_subreaper() {
    int answer = 0;
    return ::prctl(PR_GET_CHILD_SUBREAPER, &answer, 0, 0, 0) == 0 && answer == 1;
}

/// Buries what has ended. True when it is proven that no descendant is left: a subreaper gets its family's
/// orphans as children, so one without children has no family. It spares a look at every process there is.
bool reap_all() {
    pid_t gone = 0;
    do {
        gone = ::waitpid(-1, nullptr, WNOHANG);
    } while (gone > 0);
    return gone < 0 && errno == ECHILD && is_subreaper();
}

}  // namespace

void guard_process() {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    std::ofstream("/proc/self/oom_score_adj") << kOomScore;
    ::signal(SIGPIPE, SIG_IGN);
}

void route_signals(StopSignal& stop, StopLevel first) {
    g_stop = &stop;
    g_first = static_cast<int>(first);
    struct sigaction action {};
    action.sa_handler = on_stop_signal;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGTERM, &action, nullptr);
    ::sigaction(SIGINT, &action, nullptr);
}

ProcessIdentity identify_process(std::int64_t pid) {
    ProcessRow row;
    if (!read_stat(pid, row)) return {};
    ProcessIdentity identity;
    std::ifstream("/proc/sys/kernel/random/boot_id") >> identity.boot_id;
    identity.pid = pid;
    identity.start_ticks = row.start_ticks;
    return identity;
}

bool kill_descendants(Millis patience) {
    using namespace std::chrono;
    const auto started = steady_clock::now();
    for (;;) {
        if (reap_all()) return true;
        const std::vector<ProcessRow> alive = stop_descendants();
        if (alive.empty()) break;
        for (const ProcessRow& row : alive) ::kill(static_cast<pid_t>(row.pid), SIGKILL);
        const auto tried_ms = duration_cast<milliseconds>(steady_clock::now() - started).count();
        if (tried_ms > patience.value) return false;
        ::poll(nullptr, 0, static_cast<int>(std::clamp<std::int64_t>(tried_ms / 4, 2, 1000)));
    }
    reap_all();
    return true;
}

int count_descendants() {
    std::int64_t count = 0;
    for (const ProcessRow& row : list_descendants()) count += std::max<std::int64_t>(1, row.threads);
    return static_cast<int>(count);
}

}  // namespace nightshift::jobs
