#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "daemon/worker/processes.h"
#include "scheduler/gpu.h"
#include "scheduler/ids.h"
#include "scheduler/job.h"
#include "scheduler/policy.h"

namespace nightshift::daemon {

/// Where workers live and what they are told of it.
struct Workplace {
    std::string data_folder;  ///< absolute
    std::string worker_path;
    std::string command_path;          ///< the program that runs kind `command`; may be the worker
    std::int64_t descriptors_max = 0;  ///< limit of open files of a job; 0 = the daemon's
    Processes* processes = nullptr;    ///< outlives all that works here
    Bytes memory;                      ///< of the machine
    int cores = 1;
    std::function<const Device*(const std::string& uuid)> find_device;
    std::function<Millis()> yield_grace;  ///< of the policy in force
    /// The largest budget that a job could be given on this machine.
    std::function<Bytes(const JobSpec&)> vram_max;
    std::function<Limits()> limits;  ///< of the policy in force

    std::string attempt_folder(const AttemptId& id) const {
        return data_folder + "/jobs/" + std::to_string(id.job.value) + "/" + std::to_string(id.number);
    }
    std::string output_folder(const AttemptId& id) const { return attempt_folder(id) + "/output"; }
    std::string cache_folder() const { return data_folder + "/checkpoints/cache"; }
};

inline constexpr const char* kControlSocket = "control.sock";
/// Time a cancelled or overdue job gets to end by itself.
inline constexpr Millis kStopGrace = seconds(10);

}  // namespace nightshift::daemon
