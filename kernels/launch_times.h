#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/backend.h"

namespace nightshift::kernels {

/// What one kernel took on the device, by the device's own clock: without copies and without the host.
struct LaunchTime {
    std::string kernel;  ///< as cuda::launch() names it
    std::int64_t launches = 0;
    double seconds = 0;
};

/// Whether each launch is timed from now on, for benchmarks: two events a launch, so short kernels look
/// slower. Launches recorded as a graph are one, "graph". Nothing on the CPU.
void time_launches(Backend& backend, bool is_on);

/// What was timed since the last call, by name; empty on the CPU. Waits for the device.
std::vector<LaunchTime> launch_times(Backend& backend);

}  // namespace nightshift::kernels
