#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/simulate_spec.h"
#include "scheduler/clock.h"
#include "scheduler/gpu.h"

namespace boost::asio {
class io_context;
}

namespace nightshift::daemon {

/// What a device shows. Implementations: NVML, a fake (--simulate), the host's memory.
class GpuProbe {
  public:
    /// `asked_at`: steady time of the request, before which nothing in the samples was read.
    using OnSamples = std::function<void(std::vector<DeviceSample>, Millis asked_at)>;
    /// Bytes that our workers say they hold on a device: the only "used" where no driver counts.
    using Claimed = std::function<Bytes(const std::string& uuid)>;

    virtual ~GpuProbe() = default;
    /// The devices of this machine. More may be known when samples arrive; none goes, but for the one that
    /// stands for a driver that has not answered yet.
    virtual const std::vector<Device>& devices() const = 0;
    /// Takes one sample of each device and hands it over on the loop, at once or later. A request while
    /// one is under way is dropped. Devices that do not answer in time are handed over as not healthy, and
    /// their samples once more when they come.
    virtual void sample(OnSamples done) = 0;
    /// When the next sample is worth taking although nothing of ours changes; nothing = never.
    virtual std::optional<Millis> next_sample_in(bool is_busy) const = 0;
};

std::unique_ptr<GpuProbe> make_fake_probe(const SimulateSpec& spec, const Clock& clock,
                                          GpuProbe::Claimed claimed);
/// Half of the machine's memory as one device "host".
std::unique_ptr<GpuProbe> make_host_probe(const Clock& clock, GpuProbe::Claimed claimed);
/// The GPUs the NVIDIA driver shows, asked in a thread of its own (a sick GPU blocks for seconds).
/// Nothing when this machine has none; a driver that fails or is silent counts as a GPU that is not healthy.
std::unique_ptr<GpuProbe> make_nvml_probe(boost::asio::io_context& loop, const Clock& clock);

/// Physical memory of this machine.
Bytes machine_memory();
int machine_cores();

}  // namespace nightshift::daemon
