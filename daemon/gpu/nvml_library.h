#pragma once

#include <memory>
#include <string>
#include <vector>

#include "scheduler/gpu.h"

namespace nightshift::daemon {

/// libnvidia-ml, loaded at run time. Calls may block for seconds when a GPU is sick: use from one
/// helper thread.
class NvmlLibrary {
  public:
    /// What came of loading it.
    struct Loaded {
        std::unique_ptr<NvmlLibrary> library;  ///< null when it is of no use now
        bool is_absent = false;                ///< this machine has no NVIDIA driver at all, or no GPU
        std::string fault;                     ///< why there is none
    };
    static Loaded load();
    ~NvmlLibrary();
    NvmlLibrary(const NvmlLibrary&) = delete;
    NvmlLibrary& operator=(const NvmlLibrary&) = delete;

    const std::vector<Device>& devices() const { return devices_; }
    /// Not healthy and with nothing but the fault when the driver refuses to tell the memory.
    DeviceSample sample(std::size_t index) const;

  private:
    struct Functions;
    NvmlLibrary();
    int open();
    void read_devices(unsigned count);
    void read_processes(std::size_t index, DeviceSample& sample) const;

    std::unique_ptr<Functions> call_;
    std::vector<Device> devices_;
    std::vector<void*> handles_;
    int last_error_ = 0;  ///< of the last device that could not be read
};

/// A sentence for a person about an error number of NVML.
std::string describe_nvml_error(int code);

}  // namespace nightshift::daemon
