#include "tests/jobs/runtime/fake_daemon.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace nightshift::tests {
namespace fs = std::filesystem;

std::int64_t steady_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

void pause_briefly() {
    ::poll(nullptr, 0, 2);
}

std::string read_file(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

bool is_alive(std::int64_t pid) {
    const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
    const std::size_t bracket = stat.rfind(')');
    return bracket != std::string::npos && stat.size() > bracket + 2 && stat[bracket + 2] != 'Z';
}

// --- the socket -----------------------------------------------------------------------------------

void FakeDaemon::listen() {
    fs::remove(data_ / "control.sock");
    // By the folder's descriptor: the path itself may be longer than sun_path.
    const int folder = ::open(data_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = "/proc/self/fd/" + std::to_string(folder) + "/control.sock";
    std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int bound = ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::close(folder);
    if (bound != 0 || ::listen(listener_, 8) != 0) {
        throw std::runtime_error(std::string("fake daemon cannot listen: ") + std::strerror(errno));
    }
}

void FakeDaemon::die() {
    for (int* fd : {&peer_, &listener_}) {
        if (*fd >= 0) ::close(*fd);
        *fd = -1;
    }
    inbox_.clear();
}

wire::Hello FakeDaemon::accept() {
    if (peer_ >= 0) ::close(peer_);
    inbox_.clear();
    pollfd wait{listener_, POLLIN, 0};
    if (::poll(&wait, 1, kPatience_ms) <= 0) throw std::runtime_error("no worker connected");
    peer_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    return std::get<wire::Hello>(receive());
}

void FakeDaemon::send(const wire::FromDaemon& message) {
    send_raw(wire::encode(message) + "\n");
}

void FakeDaemon::send_raw(const std::string& text) {
    if (::send(peer_, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
        throw std::runtime_error("the worker does not listen");
    }
}

bool FakeDaemon::read_line(std::string& line) {
    for (;;) {
        const std::size_t end = inbox_.find('\n');
        if (end != std::string::npos) {
            line = inbox_.substr(0, end);
            inbox_.erase(0, end + 1);
            return true;
        }
        pollfd wait{peer_, POLLIN, 0};
        if (::poll(&wait, 1, kPatience_ms) <= 0) throw std::runtime_error("the worker says nothing");
        char block[4096];
        const ssize_t bytes = ::recv(peer_, block, sizeof block, 0);
        if (bytes <= 0) return false;
        inbox_.append(block, static_cast<std::size_t>(bytes));
    }
}

wire::FromWorker FakeDaemon::receive() {
    std::string line;
    if (!read_line(line)) throw std::runtime_error("the worker closed the connection");
    const auto decoded = wire::decode_from_worker(line);
    if (!decoded) throw std::runtime_error("bad line: " + decoded.error().message + ": " + line);
    if (!*decoded) throw std::runtime_error("unknown type: " + line);
    return **decoded;
}

bool FakeDaemon::is_closed_by_worker() {
    std::string line;
    return !read_line(line);
}

// --- the process ----------------------------------------------------------------------------------

WorkerProcess::WorkerProcess(const fs::path& data, AttemptId attempt, const std::string& token) {
    const std::string job = std::to_string(attempt.job.value);
    const std::string number = std::to_string(attempt.number);
    folder_ = data / "jobs" / job / number;
    fs::create_directories(folder_);
    std::vector<std::string> env;
    for (char** entry = environ; *entry != nullptr; ++entry) env.emplace_back(*entry);
    for (const std::string& setting :
         {std::string("NIGHTSHIFT_CONTROL=control.sock"), "NIGHTSHIFT_ATTEMPT_TOKEN=" + token,
          "NIGHTSHIFT_JOB_ID=" + job, "NIGHTSHIFT_ATTEMPT=" + number}) {
        env.push_back(setting);
    }
    std::vector<std::string> words{NIGHTSHIFT_WORKER_BINARY, "attempt", "--job", job, "--attempt", number};
    std::vector<char*> argv, envp;
    for (std::string& word : words) argv.push_back(word.data());
    for (std::string& setting : env) envp.push_back(setting.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    const std::string log_file = (folder_ / "stdout.log").string();
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 1, log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
    ::posix_spawn_file_actions_addchdir_np(&actions, data.c_str());
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    const int error = ::posix_spawn(&pid_, argv[0], &actions, &attributes, argv.data(), envp.data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (error != 0) throw std::runtime_error(std::string("cannot start the worker: ") + std::strerror(error));
}

WorkerProcess::~WorkerProcess() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void WorkerProcess::kill(int signal) const {
    ::kill(pid_, signal);
}

int WorkerProcess::wait() {
    int status = 0;
    wait_until("the worker's end", [&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; });
    pid_ = -1;
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::string WorkerProcess::log() const {
    return read_file(folder_ / "stdout.log");
}

}  // namespace nightshift::tests
