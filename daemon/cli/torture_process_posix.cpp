#include "daemon/cli/torture_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

namespace nightshift::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::array<int, 3> kStopSignals = {SIGINT, SIGTERM, SIGHUP};
constexpr std::size_t kPageBytes = 4096;

// A signal handler can reach nothing but a global.
std::atomic<bool> is_stop_asked{false};
std::array<struct sigaction, kStopSignals.size()> former_actions;

std::int64_t number_in(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

std::vector<std::string> arguments_of(const fs::path& process) {
    std::ifstream file(process / "cmdline", std::ios::binary);
    std::vector<std::string> arguments;
    for (std::string argument; std::getline(file, argument, '\0');) arguments.push_back(argument);
    return arguments;
}

/// 0 where the process is gone.
std::int64_t parent_of(std::int64_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat", std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::size_t name_end = text.rfind(')');  // a name may hold anything
    if (name_end == std::string::npos) return 0;
    std::istringstream rest(text.substr(name_end + 1));
    char state = 0;
    std::int64_t parent = 0;
    rest >> state >> parent;
    return parent;
}

/// A worker's child looks like its worker until it has become its command.
void leave_out_children(std::vector<WorkerProcess>& found) {
    const std::vector<WorkerProcess> all = found;
    std::erase_if(found, [&](const WorkerProcess& each) {
        const std::int64_t parent = parent_of(each.pid);
        return std::any_of(all.begin(), all.end(), [&](const auto& other) { return other.pid == parent; });
    });
}

}  // namespace

std::vector<WorkerProcess> workers_of(const std::string& data_folder) {
    std::error_code error;
    const fs::path folder = fs::canonical(data_folder, error);
    std::vector<WorkerProcess> found;
    for (const auto& entry : fs::directory_iterator("/proc", error)) {
        WorkerProcess worker;
        worker.pid = number_in(entry.path().filename().string());
        if (worker.pid == 0) continue;
        const std::vector<std::string> arguments = arguments_of(entry.path());
        if (arguments.size() < 2 || arguments[1] != "attempt") continue;
        std::error_code gone;
        if (fs::read_symlink(entry.path() / "cwd", gone) != folder || gone) continue;
        for (std::size_t i = 2; i + 1 < arguments.size(); ++i) {
            if (arguments[i] == "--job") worker.job = number_in(arguments[i + 1]);
            if (arguments[i] == "--attempt") worker.attempt = number_in(arguments[i + 1]);
        }
        found.push_back(worker);
    }
    leave_out_children(found);
    return found;
}

void kill_at_once(std::int64_t pid) {
    if (pid > 1) kill(static_cast<pid_t>(pid), SIGKILL);
}

int end_of(std::int64_t pid) {
    int status = 0;
    while (waitpid(static_cast<pid_t>(pid), &status, 0) < 0) {
        if (errno != EINTR) return 0;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool limit_file_size(std::int64_t pid, std::optional<Bytes> limit) {
    struct rlimit now {};
    if (prlimit(static_cast<pid_t>(pid), RLIMIT_FSIZE, nullptr, &now) != 0) return false;
    now.rlim_cur = limit ? static_cast<rlim_t>(limit->value) : now.rlim_max;
    return prlimit(static_cast<pid_t>(pid), RLIMIT_FSIZE, &now, nullptr) == 0;
}

std::vector<double> durable_write_times(const std::string& path, int count, Millis limit) {
    using Clock = std::chrono::steady_clock;
    std::vector<double> times;
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return times;
    const std::array<char, kPageBytes> page{};
    const auto begin = Clock::now();
    while (static_cast<int>(times.size()) < count &&
           Clock::now() - begin < std::chrono::milliseconds(limit.value)) {
        const auto start = Clock::now();
        if (write(fd, page.data(), page.size()) != static_cast<ssize_t>(page.size()) || fdatasync(fd) != 0)
            break;
        times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    }
    close(fd);
    unlink(path.c_str());
    return times;
}

StopRequests::StopRequests() {
    is_stop_asked = false;
    struct sigaction action {};
    action.sa_handler = [](int) { is_stop_asked = true; };
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    for (std::size_t i = 0; i < kStopSignals.size(); ++i)
        sigaction(kStopSignals[i], &action, &former_actions[i]);
}

StopRequests::~StopRequests() {
    for (std::size_t i = 0; i < kStopSignals.size(); ++i)
        sigaction(kStopSignals[i], &former_actions[i], nullptr);
}

bool StopRequests::is_asked() {
    return is_stop_asked;
}

}  // namespace nightshift::cli
