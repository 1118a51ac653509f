#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/gpu/nvml_library.h"
#include "daemon/gpu/retry_pace.h"

namespace nightshift::daemon {

/// The NVIDIA driver for as long as the daemon runs: when it loses a GPU, is replaced or does not work yet,
/// it is loaded anew, less and less often, until the same GPUs answer again. Thread: one helper; any call
/// may block for seconds.
class NvmlDriver {
  public:
    struct Answer {
        std::vector<Device> devices;
        std::vector<DeviceSample> samples;  ///< one for each device
    };

    NvmlDriver();
    /// This machine has no NVIDIA GPU.
    bool is_absent() const { return is_absent_; }
    /// Every device that was ever seen; unknown_gpu() before the first.
    const std::vector<Device>& known() const { return known_; }
    /// One sample of each device that was ever seen; those that cannot be reached now say why.
    Answer look();

  private:
    void load();
    /// False when a sample is not healthy, or a device that was seen before is missing.
    bool take_samples(Answer& answer) const;
    DeviceSample sample_of(const Device& device) const;

    std::unique_ptr<NvmlLibrary> library_;
    std::vector<Device> known_;
    bool is_absent_ = false;
    std::string fault_;
    RetryPace pace_;
};

/// Stands for the GPUs of a driver that has not answered yet: its size is 0, so nothing fits.
Device unknown_gpu();

}  // namespace nightshift::daemon
