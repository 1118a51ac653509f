#include "daemon/worker/identity.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "daemon/paths.h"

namespace nightshift::daemon {

namespace {

constexpr std::size_t kProcFileMax = 1 << 20;
constexpr int kKillRounds = 20;

/// The fields of /proc/PID/stat we use (proc(5)).
struct Stat {
    std::int64_t pid = 0;
    char state = '?';
    std::int64_t group = 0;
    std::int64_t session = 0;
    std::int64_t start_ticks = 0;
};

std::optional<Stat> read_stat(std::int64_t pid) {
    const auto text = read_file("/proc/" + std::to_string(pid) + "/stat", kProcFileMax);
    if (!text) return std::nullopt;
    // The name in parentheses may hold anything, spaces and parentheses too: count from the last one.
    std::size_t at = text->rfind(')');
    if (at == std::string::npos || at + 2 >= text->size()) return std::nullopt;
    Stat stat;
    stat.pid = pid;
    stat.state = (*text)[at + 2];
    at += 3;
    for (int field = 4; field <= 22; ++field) {
        while (at < text->size() && (*text)[at] == ' ') ++at;
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(text->data() + at, text->data() + text->size(), value);
        if (error != std::errc()) return std::nullopt;
        at = static_cast<std::size_t>(end - text->data());
        if (field == 5) stat.group = value;
        if (field == 6) stat.session = value;
        if (field == 22) stat.start_ticks = value;
    }
    return stat;
}

bool has_ended(const Stat& stat) {
    return stat.state == 'Z' || stat.state == 'X';
}

std::vector<Stat> all_processes() {
    std::vector<Stat> all;
    std::error_code code;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", code)) {
        const std::string name = entry.path().filename().string();
        std::int64_t pid = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error != std::errc() || end != name.data() + name.size()) continue;
        if (const auto stat = read_stat(pid)) all.push_back(*stat);
    }
    return all;
}

/// The words of a process, each ended by a NUL. In the middle of exec the kernel shows none for a moment,
/// which must not pass for a proof that the worker is not there; kernel threads, which have no program,
/// never show any.
std::string command_line(const std::string& proc) {
    constexpr int kReadsMax = 50;
    for (int i = 0; i < kReadsMax; ++i) {
        auto words = read_file(proc + "/cmdline", kProcFileMax);
        if (!words || !words->empty()) return words ? std::move(*words) : std::string();
        std::error_code code;
        const auto program = std::filesystem::read_symlink(proc + "/exe", code);
        if (code || program.empty()) break;
        usleep(1000);
    }
    return {};
}

/// Signals the very process, never one that got its pid since.
void kill_exactly(const ProcessIdentity& identity) {
    const int fd = static_cast<int>(syscall(SYS_pidfd_open, static_cast<pid_t>(identity.pid), 0));
    if (fd < 0) return;
    if (is_alive(identity)) syscall(SYS_pidfd_send_signal, fd, SIGKILL, nullptr, 0);
    close(fd);
}

}  // namespace

std::string boot_id() {
    // It cannot change while a process lives.
    static const std::string id = [] {
        const auto text = read_file("/proc/sys/kernel/random/boot_id", 256);
        return text ? text->substr(0, text->find('\n')) : std::string();
    }();
    return id;
}

std::optional<ProcessIdentity> identify(std::int64_t pid) {
    const auto stat = read_stat(pid);
    if (!stat || has_ended(*stat)) return std::nullopt;
    return ProcessIdentity{boot_id(), pid, stat->start_ticks};
}

ProcessIdentity own_identity() {
    return identify(getpid()).value_or(ProcessIdentity{boot_id(), getpid(), 0});
}

std::int64_t session_of(std::int64_t pid) {
    return std::max<std::int64_t>(0, getsid(static_cast<pid_t>(pid)));
}

bool is_alive(const ProcessIdentity& identity) {
    if (identity.pid <= 0) return false;
    const auto now = identify(identity.pid);
    return now && *now == identity;
}

std::optional<ProcessIdentity> find_worker(const AttemptId& attempt, const std::string& data_folder) {
    std::error_code code;
    const auto folder = std::filesystem::canonical(data_folder, code);
    const std::string job = std::to_string(attempt.job.value);
    const std::string number = std::to_string(attempt.number);
    for (const Stat& stat : all_processes()) {
        if (has_ended(stat)) continue;
        const std::string proc = "/proc/" + std::to_string(stat.pid);
        const std::string command = command_line(proc);
        std::vector<std::string> argv;
        for (std::size_t at = 0; at < command.size();) {
            const std::size_t end = std::min(command.find('\0', at), command.size());
            argv.push_back(command.substr(at, end - at));
            at = end + 1;
        }
        const auto has = [&](const char* flag, const std::string& value) {
            for (std::size_t i = 0; i + 1 < argv.size(); ++i) {
                if (argv[i] == flag && argv[i + 1] == value) return true;
            }
            return false;
        };
        if (argv.size() < 2 || argv[1] != "attempt" || !has("--job", job) || !has("--attempt", number))
            continue;
        // Several daemons on one machine number their jobs alike; their workers stand in other folders.
        if (std::filesystem::read_symlink(proc + "/cwd", code) != folder || code) continue;
        return identify(stat.pid);
    }
    return std::nullopt;
}

std::vector<ProcessIdentity> session_members(const ProcessIdentity& leader) {
    std::vector<ProcessIdentity> members;
    const std::string boot = boot_id();
    if (leader.boot_id != boot || leader.pid <= 0) return members;
    for (const Stat& stat : all_processes()) {
        if (stat.pid == leader.pid && stat.start_ticks != leader.start_ticks)
            return {};  // the number was used again
        if (stat.session == leader.pid && stat.start_ticks >= leader.start_ticks && !has_ended(stat)) {
            members.push_back({boot, stat.pid, stat.start_ticks});
        }
    }
    return members;
}

bool has_group(const ProcessIdentity& leader) {
    if (leader.pid <= 1 || leader.boot_id != boot_id()) return false;
    return kill(static_cast<pid_t>(-leader.pid), 0) == 0 || errno == EPERM;
}

int kill_session(const ProcessIdentity& leader, const std::optional<ProcessIdentity>& command) {
    if (command && is_alive(*command)) {
        const auto stat = read_stat(command->pid);
        if (stat && stat->group == command->pid) kill(static_cast<pid_t>(-command->pid), SIGKILL);
    }
    std::vector<ProcessIdentity> members;
    for (int round = 0; round < kKillRounds; ++round) {
        members = session_members(leader);
        if (members.empty()) return 0;
        for (const ProcessIdentity& member : members) kill_exactly(member);
    }
    return static_cast<int>(members.size());
}

}  // namespace nightshift::daemon
