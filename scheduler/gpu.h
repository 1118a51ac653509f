#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/units.h"

namespace nightshift {

/// One device the ledger manages: a GPU by its UUID, or "host" (memory of a machine without a GPU).
struct Device {
    std::string uuid;
    int index = 0;
    std::string name;
    Bytes total;
    std::string driver;
    bool is_simulated = false;
    bool is_host = false;
};

/// Memory of one process on a device.
struct ProcessMemory {
    std::int64_t pid = 0;
    Bytes used;
    std::string name;
};

/// What the driver shows now; absent optionals mean "not known", never zero.
struct DeviceSample {
    std::string uuid;
    UnixMs at;
    Bytes used;
    std::vector<ProcessMemory> processes;
    bool has_process_memory = false;    ///< false on WDDM and in containers
    std::optional<double> utilization;  ///< 0..1
    std::optional<double> temperature_c;
    std::optional<double> power_w;
    std::optional<double> power_limit_w;
    std::optional<std::string> throttle;
    bool is_healthy = true;
    std::string fault;  ///< what is wrong when not healthy
};

}  // namespace nightshift
