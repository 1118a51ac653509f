#include "daemon/worker/identity.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <vector>

#include "daemon/paths.h"
#include "daemon/worker/proc_table.h"

namespace nightshift::daemon {

namespace {

constexpr std::size_t kProcFileMax = 1 << 20;

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
    const auto row = read_proc(pid);
    if (!row || row->has_ended()) return std::nullopt;
    return ProcessIdentity{boot_id(), pid, row->start_ticks};
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
    for (const ProcRow& row : list_procs()) {
        if (row.has_ended()) continue;
        const std::string proc = "/proc/" + std::to_string(row.pid);
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
        return identify(row.pid);
    }
    return std::nullopt;
}

bool has_group(const ProcessIdentity& leader) {
    if (leader.pid <= 1 || leader.boot_id != boot_id()) return false;
    return kill(static_cast<pid_t>(-leader.pid), 0) == 0 || errno == EPERM;
}

}  // namespace nightshift::daemon
