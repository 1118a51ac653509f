#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/job.h"
#include "scheduler/units.h"

namespace nightshift {

/// "mon-fri 22:00-06:00": days as a mask (bit 0 = Monday), minutes of the local day. An end at or
/// before the start lies on the next day; a window belongs to the day on which it opens.
struct WindowRule {
    std::uint8_t days = 0;
    int start_minute = 0;  ///< 0..1439
    int end_minute = 0;    ///< 1..1440
};

struct Window {
    std::string name;
    std::string timezone;  ///< IANA name; empty = the system's zone
    std::vector<WindowRule> rules;
};

/// VRAM kept for inference. The first entry whose window is open wins; no window = always.
struct Headroom {
    std::string window;
    Bytes vram;
};

struct ClassPolicy {
    std::vector<Headroom> headroom;  ///< only class inference
    std::string window;              ///< default window; empty = always open
    std::optional<Bytes> vram_max;   ///< of one job
    std::vector<int> gpus;           ///< allowed indexes; empty = all
    std::vector<JobClass> only_when_idle;
    std::optional<Millis> time_limit;
    std::optional<int> running;  ///< of the class at the same time
    WindowEnd at_window_end = WindowEnd::kYield;
    Millis window_slack = minutes(30);  ///< how far kFinish may run past the edge
};

/// At most `running` jobs with the label `name` at a time: those of one value, or, without a value, of
/// each value by itself.
struct GroupLimit {
    std::string name;
    std::optional<std::string> value;
    int running = 1;
};

struct PreemptionPolicy {
    Millis grace = seconds(60);
    Millis min_run = minutes(5);
    int max_per_day = 4;
};

struct Limits {
    int running = 8;
    std::int64_t waiting = 1'000'000;
    std::optional<Millis> time_limit;
    Bytes log = mebibytes(256);  ///< of what one attempt of a command prints
    int processes = 4096;        ///< of one attempt of a command at the same time
};

struct Policy {
    Bytes safety = mebibytes(512);
    std::vector<Window> windows;
    std::array<ClassPolicy, kJobClasses.size()> classes;  ///< by JobClass
    PreemptionPolicy preemption;
    Limits limits;
    std::vector<GroupLimit> groups;
    /// A class that has waited for room and got less than this share of the GPU time of the last 24 h has
    /// its first job lifted one class, never into inference. 0 = off.
    int floor_percent = 10;
    std::vector<std::string> roots;
    Millis retain_jobs = hours(24 * 365);
    Millis retain_logs = hours(24 * 30);
    Millis retain_checkpoints = hours(24 * 30);

    const ClassPolicy& of(JobClass c) const { return classes[static_cast<std::size_t>(c)]; }
    ClassPolicy& of(JobClass c) { return classes[static_cast<std::size_t>(c)]; }
    const Window* find_window(const std::string& name) const;
};

}  // namespace nightshift
