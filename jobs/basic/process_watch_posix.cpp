#include "jobs/basic/process_watch.h"

#include <algorithm>
#include <fstream>

#include "jobs/runtime/guard.h"

namespace nightshift::jobs {
namespace {

/// Processes and threads of the machine: the number behind the slash of /proc/loadavg; 0 = unknown.
std::int64_t count_machine() {
    std::ifstream stream("/proc/loadavg");
    double load = 0;
    std::int64_t running = 0, all = 0;
    char slash = 0;
    stream >> load >> load >> load >> running >> slash >> all;
    return stream ? all : 0;
}

}  // namespace

ProcessWatch::ProcessWatch(int processes_max)
    : processes_max_(processes_max), machine_then_(count_machine()) {}

bool ProcessWatch::is_exceeded() {
    const std::int64_t machine = count_machine();
    machine_then_ = std::min(machine_then_, machine);
    // Others may have ended meanwhile, which hides as many of ours; the next growth shows them.
    if (counted_ + (machine - machine_then_) <= processes_max_) return false;
    counted_ = count_descendants();
    machine_then_ = machine;
    return counted_ > processes_max_;
}

}  // namespace nightshift::jobs
