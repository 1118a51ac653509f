#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/gpu/probe.h"
#include "tests/product_sim/sim_machine.h"

namespace nightshift::tests {

/// The GPUs of a simulated machine with a driver that counts: memory of our workers as it really is, freed
/// late; other programs; faults; a driver that sometimes takes its time.
class SimGpus {
  public:
    SimGpus(Agenda& agenda, Dice& dice, SimMachine& machine, std::vector<Bytes> totals);

    std::unique_ptr<daemon::GpuProbe> make_probe();
    const std::vector<Device>& devices() const { return devices_; }
    std::vector<DeviceSample> look() const;

    /// Another program takes or gives back memory of the first GPU.
    void set_foreign(Bytes foreign) { foreign_ = foreign; }
    void set_healthy(bool is_healthy) { is_healthy_ = is_healthy; }
    /// Samples take up to this long.
    void set_latency(Millis latency) { latency_ = latency; }
    Millis latency() const { return latency_; }

    Agenda& agenda() { return agenda_; }
    Dice& dice() { return dice_; }

  private:
    Agenda& agenda_;
    Dice& dice_;
    SimMachine& machine_;
    std::vector<Device> devices_;
    Bytes foreign_;
    bool is_healthy_ = true;
    Millis latency_{20};
};

}  // namespace nightshift::tests
