#include "daemon/worker/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "daemon/descriptor_limit.h"
#include "daemon/worker/identity.h"

namespace nightshift::daemon {

namespace {

Error spawn_error(const std::string& program, int code) {
    return {ErrorCode::kUnavailable, "spawn_error",
            "Cannot start " + program + ": " + std::strerror(code) + ".",
            "Check that the program is there and may be run, or name it with NIGHTSHIFT_WORKER.", ""};
}

/// The arguments of posix_spawn, freed on every path.
struct SpawnPlan {
    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};
    SpawnPlan() {
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
        // The daemon ignores and blocks signals that a job has to receive as usual.
        sigset_t signals;
        sigfillset(&signals);
        sigdelset(&signals, SIGKILL);
        sigdelset(&signals, SIGSTOP);
        posix_spawnattr_setsigdefault(&attributes, &signals);
        sigemptyset(&signals);
        posix_spawnattr_setsigmask(&attributes, &signals);
        posix_spawnattr_setflags(&attributes, static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF |
                                                                 POSIX_SPAWN_SETSIGMASK));
    }
    ~SpawnPlan() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;
};

std::vector<std::string> merged_environment(const std::vector<std::pair<std::string, std::string>>& added) {
    std::vector<std::string> merged;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::string_view name = text.substr(0, text.find('='));
        bool is_replaced = name == "NOTIFY_SOCKET";  // the job must not speak for the service
        for (const auto& [key, value] : added) is_replaced = is_replaced || key == name;
        if (!is_replaced) merged.emplace_back(text);
    }
    for (const auto& [key, value] : added) merged.push_back(key + "=" + value);
    return merged;
}

Result<pid_t> run_spawn(SpawnPlan& plan, const std::string& program,
                        const std::vector<std::string>& arguments,
                        const std::vector<std::string>& environment) {
    std::vector<char*> argv{const_cast<char*>(program.c_str())};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    std::vector<char*> envp;
    for (const std::string& entry : environment) envp.push_back(const_cast<char*>(entry.c_str()));
    envp.push_back(nullptr);
    pid_t pid = 0;
    const int code =
        posix_spawn(&pid, program.c_str(), &plan.actions, &plan.attributes, argv.data(), envp.data());
    if (code != 0) return spawn_error(program, code);
    return pid;
}

int open_pidfd(std::int64_t pid) {
    return static_cast<int>(syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0));
}

class PosixProcess final : public Process {
  public:
    PosixProcess(boost::asio::io_context& loop, ProcessIdentity identity, int pidfd)
        : identity_(std::move(identity)), pidfd_(loop, pidfd) {}

    const ProcessIdentity& identity() const override { return identity_; }

    void on_exit(std::function<void(ExitStatus)> done) override {
        pidfd_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                          [this, done = std::move(done)](const boost::system::error_code& error) mutable {
                              if (error) return;
                              // A wake-up is a hint; only the handle itself proves that the process is gone.
                              if (!has_ended()) return on_exit(std::move(done));
                              done(reap());
                          });
    }

  private:
    bool has_ended() {
        pollfd handle{pidfd_.native_handle(), POLLIN, 0};
        return poll(&handle, 1, 0) == 1 && (handle.revents & POLLIN) != 0;
    }

    ExitStatus reap() {
        ExitStatus status;
        siginfo_t info{};
        if (waitid(P_PIDFD, static_cast<id_t>(pidfd_.native_handle()), &info, WEXITED | WNOHANG) != 0) {
            return status;  // ECHILD: adopted from an earlier daemon
        }
        if (info.si_code == CLD_EXITED) status.exit_code = info.si_status;
        if (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED) status.signal = info.si_status;
        return status;
    }

    ProcessIdentity identity_;
    boost::asio::posix::stream_descriptor pidfd_;
};

}  // namespace

Result<std::unique_ptr<Process>> Process::spawn(boost::asio::io_context& loop, const SpawnRequest& request) {
    SpawnPlan plan;
    posix_spawn_file_actions_addopen(&plan.actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&plan.actions, 1, request.log_path.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&plan.actions, 1, 2);
    posix_spawn_file_actions_addclosefrom_np(&plan.actions, 3);
    posix_spawn_file_actions_addchdir_np(&plan.actions, request.folder.c_str());
    const auto pid =
        run_spawn(plan, request.program, request.arguments, merged_environment(request.environment));
    if (!pid) return pid.error();
    set_descriptor_limit(*pid, request.descriptors_max);
    // Not reaped yet, so the pid is still ours whatever became of the process.
    const int pidfd = open_pidfd(*pid);
    if (pidfd < 0) {
        const int code = errno;
        kill(*pid, SIGKILL);
        waitpid(*pid, nullptr, 0);
        return spawn_error(request.program, code);
    }
    ProcessIdentity identity{boot_id(), *pid, 0};
    if (const auto found = identify(*pid)) identity = *found;
    return std::unique_ptr<Process>(std::make_unique<PosixProcess>(loop, std::move(identity), pidfd));
}

Result<std::unique_ptr<Process>> Process::adopt(boost::asio::io_context& loop,
                                                const ProcessIdentity& identity) {
    const int pidfd = open_pidfd(identity.pid);
    // Compared after the handle is open: from here on it cannot become another process.
    if (pidfd < 0 || !is_alive(identity)) {
        if (pidfd >= 0) close(pidfd);
        return Error{ErrorCode::kNotFound, "process_gone", "The process is gone.", "", ""};
    }
    return std::unique_ptr<Process>(std::make_unique<PosixProcess>(loop, identity, pidfd));
}

Result<std::string> run_and_read(const std::string& program, const std::vector<std::string>& arguments,
                                 std::size_t bytes_max, Millis limit) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return spawn_error(program, errno);
    SpawnPlan plan;
    posix_spawn_file_actions_addopen(&plan.actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&plan.actions, ends[1], 1);
    posix_spawn_file_actions_addclosefrom_np(&plan.actions, 3);
    const auto pid = run_spawn(plan, program, arguments, merged_environment({}));
    close(ends[1]);
    if (!pid) {
        close(ends[0]);
        return pid.error();
    }
    std::string output;
    bool is_whole = false;
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit.value);
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        pollfd wait{ends[0], POLLIN, 0};
        if (left.count() <= 0 || poll(&wait, 1, static_cast<int>(left.count())) <= 0) break;
        char buffer[16384];
        const ssize_t n = read(ends[0], buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            is_whole = n == 0;
            break;
        }
        output.append(buffer, static_cast<std::size_t>(n));
        if (output.size() > bytes_max) break;
    }
    close(ends[0]);
    if (!is_whole) kill(*pid, SIGKILL);
    int status = 0;
    while (waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!is_whole || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return Error{ErrorCode::kUnavailable, "spawn_error", program + " did not answer as expected.",
                     "Run it by hand to see what it says.", ""};
    }
    return output;
}

}  // namespace nightshift::daemon
