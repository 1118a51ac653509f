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
    /// Nothing when there is no driver or no GPU.
    static std::unique_ptr<NvmlLibrary> load();
    ~NvmlLibrary();
    NvmlLibrary(const NvmlLibrary&) = delete;
    NvmlLibrary& operator=(const NvmlLibrary&) = delete;

    const std::vector<Device>& devices() const { return devices_; }
    DeviceSample sample(std::size_t index) const;

  private:
    struct Functions;
    NvmlLibrary();
    bool open();
    void read_processes(std::size_t index, DeviceSample& sample) const;

    std::unique_ptr<Functions> call_;
    std::vector<Device> devices_;
    std::vector<void*> handles_;
};

}  // namespace nightshift::daemon
