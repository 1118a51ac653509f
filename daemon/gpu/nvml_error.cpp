#include "daemon/gpu/nvml_abi.h"
#include "daemon/gpu/nvml_library.h"

namespace nightshift::daemon {

std::string describe_nvml_error(int code) {
    const std::string number = " (NVML error " + std::to_string(code) + ").";
    switch (code) {
        case nvml::kNoPermission:
            return "The driver refuses the daemon's user" + number +
                   " Let it open /dev/nvidia* and start it again.";
        case nvml::kDriverNotLoaded:
            return "The NVIDIA kernel module is not loaded" + number +
                   " Load it with modprobe nvidia, or restart the machine.";
        case nvml::kGpuIsLost:
            return "The driver has lost the GPU" + number + " If it stays away, restart the machine.";
        case nvml::kResetRequired:
            return "The GPU has to be reset" + number + " Stop what uses it, or restart the machine.";
        case nvml::kLibRmVersionMismatch:
            return "The NVIDIA driver was updated and its parts do not match" + number +
                   " They do after a restart of the machine: restart it.";
        default:
            return "The driver does not answer for this GPU" + number +
                   " If that goes on, look at it with nvidia-smi.";
    }
}

}  // namespace nightshift::daemon
