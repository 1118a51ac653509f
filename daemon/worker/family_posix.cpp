#include "daemon/worker/family.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "daemon/paths.h"
#include "daemon/worker/identity.h"
#include "daemon/worker/proc_table.h"

namespace nightshift::daemon {

namespace {

constexpr int kLooksMax = 20;
constexpr std::size_t kEnvironmentBytesMax = 4 << 20;

/// The program began with this output folder in its environment.
bool carries_mark(std::int64_t pid, const std::string& output_folder) {
    const auto variables = read_file("/proc/" + std::to_string(pid) + "/environ", kEnvironmentBytesMax);
    if (!variables) return false;
    const std::string mark = "NIGHTSHIFT_OUTPUT=" + output_folder;
    std::size_t at = variables->find(mark);
    for (; at != std::string::npos; at = variables->find(mark, at + 1)) {
        const std::size_t end = at + mark.size();
        const bool is_whole = end == variables->size() || (*variables)[end] == '\0';
        if (is_whole && (at == 0 || (*variables)[at - 1] == '\0')) return true;
    }
    return false;
}

/// Signals the very process, never one that got its pid since.
void kill_exactly(const ProcessIdentity& identity) {
    const int fd = static_cast<int>(syscall(SYS_pidfd_open, static_cast<pid_t>(identity.pid), 0));
    if (fd < 0) return;
    if (is_alive(identity)) syscall(SYS_pidfd_send_signal, fd, SIGKILL, nullptr, 0);
    close(fd);
}

}  // namespace

std::vector<FamilyMember> family_members(const Family& family) {
    std::vector<FamilyMember> members;
    const ProcessIdentity& worker = family.worker;
    const std::string boot = boot_id();
    if (worker.boot_id != boot || worker.pid <= 0) return members;
    std::vector<ProcRow> rows = list_procs();
    const bool is_reused = std::any_of(rows.begin(), rows.end(), [&](const ProcRow& row) {
        return row.pid == worker.pid && row.start_ticks != worker.start_ticks;
    });
    // Nobody in the family is older than its worker.
    std::erase_if(rows, [&](const ProcRow& row) { return row.start_ticks < worker.start_ticks; });
    std::set<std::int64_t> parents;
    if (!is_reused) parents.insert(worker.pid);
    std::vector<bool> is_known(rows.size(), false);
    // Parents come before their children in no order: again until a look over the rows adds nobody.
    for (bool has_grown = true; has_grown;) {
        has_grown = false;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const ProcRow& row = rows[i];
            if (is_known[i]) continue;
            const bool is_ours = (!is_reused && (row.pid == worker.pid || row.session == worker.pid)) ||
                                 parents.contains(row.parent);
            if (!is_ours) continue;
            is_known[i] = has_grown = true;
            parents.insert(row.pid);
        }
        if (has_grown || family.output_folder.empty()) continue;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (is_known[i] || rows[i].has_ended() || !carries_mark(rows[i].pid, family.output_folder))
                continue;
            is_known[i] = has_grown = true;
            parents.insert(rows[i].pid);
        }
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (!is_known[i] || rows[i].has_ended()) continue;
        members.push_back({{boot, rows[i].pid, rows[i].start_ticks}, rows[i].state, rows[i].name});
    }
    return members;
}

std::vector<FamilyMember> kill_family(const Family& family, bool spares_worker) {
    if (family.command && is_alive(*family.command)) {
        const auto row = read_proc(family.command->pid);
        if (row && row->group == family.command->pid) kill(static_cast<pid_t>(-row->pid), SIGKILL);
    }
    std::set<std::int64_t> killed;
    std::vector<FamilyMember> members;
    for (int look = 0; look < kLooksMax; ++look) {
        members = family_members(family);
        bool is_new = false;
        for (const FamilyMember& member : members) {
            const bool is_worker = member.identity == family.worker;
            if (is_worker && (spares_worker || members.size() > 1)) continue;
            is_new = killed.insert(member.identity.pid).second || is_new;
            kill_exactly(member.identity);
        }
        if (!is_new) break;
    }
    return members;
}

}  // namespace nightshift::daemon
