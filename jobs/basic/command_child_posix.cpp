#include "jobs/basic/command_child.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jobs/runtime/job_impl.h"

extern char** environ;

namespace nightshift::jobs {
namespace {

enum class Stage : int { kParentGone, kFolder, kProgram, kPlumbing };

struct Failure {
    Stage stage = Stage::kPlumbing;
    int error = 0;
};

constexpr const char* kDefaultPath = "/usr/local/bin:/usr/bin:/bin";

std::string find_in_env(const SpawnRequest& request, const std::string& name) {
    for (const auto& [key, value] : request.env) {
        if (key == name) return value;
    }
    return "";
}

bool is_program(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

/// What execvp would take; done before fork() so that a missing program is named in plain words.
std::string find_program(const SpawnRequest& request) {
    const std::string& name = request.argv.front();
    if (name.find('/') != std::string::npos) return name;
    std::string path = find_in_env(request, "PATH");
    if (path.empty()) path = kDefaultPath;
    std::size_t from = 0;
    while (from <= path.size()) {
        const std::size_t end = std::min(path.find(':', from), path.size());
        const std::string folder = end == from ? "." : path.substr(from, end - from);
        if (is_program(folder + "/" + name)) return folder + "/" + name;
        from = end + 1;
    }
    throw JobError("no_such_program", "cannot run \"" + name + "\": no folder of PATH (" + path +
                                          ") has such a program; check the spelling, or give its full path");
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

/// In the child, between vfork and exec: system calls only, and nothing of the parent's is changed.
[[noreturn]] void become(const char* program, char* const* argv, char* const* envp, const char* cwd,
                         int output_fd, pid_t parent, int report_fd) {
    Failure failure;
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    for (const int number : {SIGTERM, SIGINT, SIGPIPE, SIGHUP, SIGCHLD}) ::signal(number, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const int null_fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (::getppid() != parent) {
        failure.stage = Stage::kParentGone;
    } else if (null_fd < 0 || ::dup2(null_fd, STDIN_FILENO) < 0) {
        failure = {Stage::kPlumbing, errno};
    } else if (output_fd >= 0 &&
               (::dup2(output_fd, STDOUT_FILENO) < 0 || ::dup2(output_fd, STDERR_FILENO) < 0)) {
        failure = {Stage::kPlumbing, errno};
    } else if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0 && errno != ENOSYS) {
        failure = {Stage::kPlumbing, errno};
    } else if (::chdir(cwd) != 0) {
        failure = {Stage::kFolder, errno};
    } else {
        ::execve(program, argv, envp);
        failure = {Stage::kProgram, errno};
    }
    [[maybe_unused]] const ssize_t written = ::write(report_fd, &failure, sizeof failure);
    ::_exit(127);
}

[[noreturn]] void fail(const Failure& failure, const std::string& program, const std::string& cwd) {
    const std::string reason = std::strerror(failure.error);
    if (failure.stage == Stage::kFolder) {
        throw JobError("no_such_folder",
                       "cannot enter the working folder " + cwd + ": " + reason + "; give a cwd that exists");
    }
    if (failure.stage != Stage::kProgram)
        throw JobError("spawn_failed", "cannot start " + program + ": " + reason);
    if (failure.error == ENOENT) {
        throw JobError("no_such_program", "cannot run \"" + program + "\" in " + cwd +
                                              ": no such file, or the interpreter in its #! line is missing");
    }
    if (failure.error == EACCES) {
        throw JobError("not_executable",
                       "cannot run \"" + program +
                           "\": it is not executable; chmod +x it, or put its interpreter first");
    }
    if (failure.error == ENOEXEC) {
        throw JobError(
            "not_executable",
            "cannot run \"" + program + "\": it has no #! line; put its interpreter first, e.g. python3");
    }
    if (failure.error == E2BIG) {
        throw JobError("spawn_failed",
                       "cannot run \"" + program +
                           "\": arguments and environment are too long; pass long lists in a file");
    }
    throw JobError("spawn_failed", "cannot run \"" + program + "\": " + reason);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> merge_env(
    const std::vector<std::pair<std::string, std::string>>& user,
    const std::vector<std::pair<std::string, std::string>>& contract) {
    std::map<std::string, std::string> merged;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos || text.starts_with("NIGHTSHIFT_")) continue;
        merged[std::string(text.substr(0, equals))] = std::string(text.substr(equals + 1));
    }
    for (const auto& [name, value] : user) merged[name] = value;
    for (const auto& [name, value] : contract) merged[name] = value;
    return {merged.begin(), merged.end()};
}

std::int64_t spawn_group(const SpawnRequest& request) {
    const std::string program = find_program(request);
    std::vector<std::string> words = request.argv;
    std::vector<std::string> settings;
    for (const auto& [name, value] : request.env) settings.push_back(name + "=" + value);
    for (const auto* texts : {&words, &settings}) {
        for (const std::string& text : *texts) {
            if (text.find('\0') == std::string::npos) continue;
            throw JobError("bad_param",
                           "the command has a NUL character in an argument or variable; remove it");
        }
    }
    const std::vector<char*> argv = pointers_to(words);
    const std::vector<char*> envp = pointers_to(settings);

    int report[2];
    if (::pipe2(report, O_CLOEXEC) != 0) fail({Stage::kPlumbing, errno}, program, request.cwd);
    const pid_t parent = ::getpid();
    // vfork spares a copy of this process's pages; until exec the child runs in them, so that no handler of
    // ours may run there: signals wait until it has handlers of its own.
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t child = ::vfork();
    if (child == 0) {
        become(program.c_str(), argv.data(), envp.data(), request.cwd.c_str(), request.output_fd, parent,
               report[1]);
    }
    const int fork_error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::close(report[1]);
    Failure failure;
    ssize_t bytes = 0;
    if (child > 0) {
        ::setpgid(child, child);  // whoever comes first: the child does the same
        do {
            bytes = ::read(report[0], &failure, sizeof failure);
        } while (bytes < 0 && errno == EINTR);
    }
    ::close(report[0]);
    if (child < 0) fail({Stage::kPlumbing, fork_error}, program, request.cwd);
    if (bytes == sizeof failure) {
        ::waitpid(child, nullptr, 0);
        fail(failure, program, request.cwd);
    }
    return child;
}

}  // namespace nightshift::jobs
