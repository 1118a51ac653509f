#include "daemon/cli/launch.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <thread>

#include "daemon/cli/failure.h"

extern char** environ;

namespace nightshift::cli {

namespace {

constexpr std::size_t kOutputBytesMax = 1024U * 1024;

std::vector<char*> pointers_of(const std::vector<std::string>& argv) {
    std::vector<char*> pointers;
    for (const std::string& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

/// The first of two equal names counts, so what stands in `variables` already wins.
void add_own_environment(std::vector<std::string>& variables, bool keeps_settings) {
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const std::string_view name = text.substr(0, text.find('='));
        const bool is_setting = name.starts_with("NIGHTSHIFT_") && name != "NIGHTSHIFT_WORKER";
        const bool is_there = std::any_of(variables.begin(), variables.end(), [&](const std::string& other) {
            return other.substr(0, other.find('=')) == name;
        });
        if (!is_there && (keeps_settings || !is_setting)) variables.emplace_back(text);
    }
}

/// Attributes and file actions of a posix_spawn, released together.
struct SpawnPlan {
    SpawnPlan() {
        posix_spawn_file_actions_init(&files);
        posix_spawnattr_init(&attributes);
        // A child starts with no signal blocked or ignored, whatever our caller did.
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;
    ~SpawnPlan() {
        posix_spawn_file_actions_destroy(&files);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
};

/// Field 22 of /proc/PID/stat; 0 when the process is gone or a zombie.
std::int64_t start_ticks_of(std::int64_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(file, text);
    // The name in parentheses may hold spaces and parentheses itself.
    const std::size_t end = text.rfind(')');
    if (end == std::string::npos) return 0;
    std::istringstream rest(text.substr(end + 1));
    std::string field;
    for (int index = 3; rest >> field; ++index) {
        if (index == 3 && field == "Z") return 0;
        if (index == 22) return std::strtoll(field.c_str(), nullptr, 10);
    }
    return 0;
}

bool is_network_file_system(long type) {
    // Magic numbers of statfs(2): NFS, SMB, CIFS, SMB2, AFS, Ceph, 9P, FUSE is left alone.
    constexpr std::array<unsigned long, 7> kTypes = {0x6969,     0x517B,     0xFF534D42, 0xFE534D42,
                                                     0x5346414F, 0x00C36400, 0x01021997};
    const auto wanted = static_cast<unsigned long>(type) & 0xFFFFFFFFUL;
    for (const unsigned long known : kTypes) {
        if (known == wanted) return true;
    }
    return false;
}

}  // namespace

std::string program_folder() {
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? "." : program.parent_path().string();
}

std::string daemon_program() {
    if (const char* path = std::getenv("NIGHTSHIFT_DAEMON_PROGRAM"); path != nullptr && *path != '\0')
        return path;
    return program_folder() + "/nightshiftd";
}

std::int64_t launch_detached(const std::vector<std::string>& argv, const std::string& log_path,
                             const LaunchEnvironment& environment) {
    SpawnPlan plan;
    posix_spawnattr_setflags(&plan.attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_addopen(&plan.files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&plan.files, 1, log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&plan.files, 1, 2);
    posix_spawn_file_actions_addclosefrom_np(&plan.files, 3);
    // Its own log file holds what it has to say; `log_path` is for what goes wrong before that is open.
    std::vector<std::string> variables = environment.added;
    variables.emplace_back("NIGHTSHIFT_LOG_STDERR=off");
    add_own_environment(variables, environment.keeps_settings);
    pid_t pid = 0;
    const int error = posix_spawn(&pid, argv[0].c_str(), &plan.files, &plan.attributes,
                                  pointers_of(argv).data(), pointers_of(variables).data());
    if (error != 0) {
        throw Failure(
            kExitFailed, "cannot start " + argv[0] + ": " + std::strerror(error),
            "Build it first (packaging/run), or reinstall: the programs of nightshift lie together.");
    }
    return pid;
}

std::optional<int> exit_code_of(std::int64_t pid) {
    int status = 0;
    if (waitpid(static_cast<pid_t>(pid), &status, WNOHANG) != pid) return std::nullopt;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool is_running(std::int64_t pid, std::int64_t start_ticks) {
    const std::int64_t ticks = pid > 0 ? start_ticks_of(pid) : 0;
    return ticks != 0 && (start_ticks == 0 || ticks == start_ticks);
}

bool ask_to_stop(std::int64_t pid) {
    return pid > 1 && kill(static_cast<pid_t>(pid), SIGTERM) == 0;
}

std::optional<std::string> output_of(const std::vector<std::string>& argv) {
    std::array<int, 2> pipe_ends{};
    if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return std::nullopt;
    SpawnPlan plan;
    posix_spawnattr_setflags(&plan.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_addopen(&plan.files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&plan.files, pipe_ends[1], 1);
    posix_spawn_file_actions_addopen(&plan.files, 2, "/dev/null", O_WRONLY, 0);
    pid_t pid = 0;
    const int error =
        posix_spawnp(&pid, argv[0].c_str(), &plan.files, &plan.attributes, pointers_of(argv).data(), environ);
    close(pipe_ends[1]);
    std::string output;
    if (error == 0) {
        std::array<char, 4096> piece;
        ssize_t count = 0;
        while (output.size() < kOutputBytesMax &&
               (count = read(pipe_ends[0], piece.data(), piece.size())) > 0) {
            output.append(piece.data(), static_cast<std::size_t>(count));
        }
    }
    close(pipe_ends[0]);
    if (error != 0) return std::nullopt;
    int status = 0;
    waitpid(pid, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
    return output;
}

int run_daemon_program(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), daemon_program());
    pid_t pid = 0;
    const int error =
        posix_spawnp(&pid, arguments[0].c_str(), nullptr, nullptr, pointers_of(arguments).data(), environ);
    if (error != 0) {
        throw Failure(kExitFailed, "cannot run " + arguments[0] + ": " + std::strerror(error),
                      "The programs lie in one folder; packaging/run builds them.");
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : kExitFailed;
}

std::string tail_of(const std::string& path, int lines_max) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
        lines.push_back(line);
        if (lines.size() > static_cast<std::size_t>(lines_max)) lines.erase(lines.begin());
    }
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

bool open_in_browser(const std::string& path) {
    const auto is_set = [](const char* name) {
        const char* value = std::getenv(name);
        return value != nullptr && *value != '\0';
    };
    if (!is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY")) return false;
    return output_of({"xdg-open", path}).has_value();
}

void write_private_file(const std::string& path, const std::string& content) {
    unlink(path.c_str());
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    const bool is_written =
        file >= 0 && write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size());
    const int error = errno;
    if (file >= 0) close(file);
    if (!is_written) {
        throw Failure(kExitFailed, "cannot write " + path + ": " + std::strerror(error),
                      "Check that the folder exists and has room.");
    }
}

FolderFacts facts_of(const std::string& folder) {
    FolderFacts facts;
    struct stat status {};
    struct statfs system {};
    if (stat(folder.c_str(), &status) == 0) {
        facts.exists = true;
        facts.is_private = (status.st_mode & 077U) == 0;
        facts.is_ours = status.st_uid == geteuid();
        facts.is_writable = access(folder.c_str(), W_OK | X_OK) == 0;
    }
    std::filesystem::path nearest(folder);
    while (statfs(nearest.c_str(), &system) != 0 && nearest.has_relative_path())
        nearest = nearest.parent_path();
    facts.is_network = is_network_file_system(static_cast<long>(system.f_type));
    facts.bytes_free = static_cast<std::int64_t>(system.f_bavail) * static_cast<std::int64_t>(system.f_bsize);
    return facts;
}

bool can_load(const std::string& library, std::string& reason) {
    void* handle = dlopen(library.c_str(), RTLD_LAZY | RTLD_LOCAL);
    if (handle == nullptr) {
        const char* error = dlerror();
        reason = error == nullptr ? "unknown reason" : error;
        return false;
    }
    dlclose(handle);
    return true;
}

void sleep_ms(int milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

}  // namespace nightshift::cli
