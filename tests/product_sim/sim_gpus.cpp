#include "tests/product_sim/sim_gpus.h"

#include <algorithm>

namespace nightshift::tests {

namespace {

constexpr Millis kBusyStep = seconds(4);
constexpr Millis kIdleStep = seconds(20);
constexpr std::int64_t kForeignPid = 77;

class SimProbe final : public daemon::GpuProbe {
  public:
    explicit SimProbe(SimGpus& gpus) : gpus_(gpus) {}
    const std::vector<Device>& devices() const override { return gpus_.devices(); }
    void sample(OnSamples done) override {
        if (*is_under_way_) return;
        *is_under_way_ = true;
        const Millis wait{gpus_.dice().between(0, static_cast<int>(gpus_.latency().value))};
        gpus_.agenda().after(wait, [this, done = std::move(done), weak = std::weak_ptr<bool>(is_under_way_)] {
            const auto mine = weak.lock();  // the daemon that asked may be dead
            if (!mine) return;
            *mine = false;
            done(gpus_.look());
        });
    }
    std::optional<Millis> next_sample_in(bool is_busy) const override {
        return is_busy ? kBusyStep : kIdleStep;
    }

  private:
    SimGpus& gpus_;
    std::shared_ptr<bool> is_under_way_ = std::make_shared<bool>(false);
};

}  // namespace

SimGpus::SimGpus(Agenda& agenda, Dice& dice, SimMachine& machine, std::vector<Bytes> totals)
    : agenda_(agenda), dice_(dice), machine_(machine) {
    for (const Bytes total : totals) {
        Device device;
        device.index = static_cast<int>(devices_.size());
        device.uuid = "GPU-" + std::to_string(device.index);
        device.name = "GPU of a simulated machine";
        device.total = total;
        device.driver = "simulated driver";
        devices_.push_back(std::move(device));
    }
}

std::unique_ptr<daemon::GpuProbe> SimGpus::make_probe() {
    return std::make_unique<SimProbe>(*this);
}

std::vector<DeviceSample> SimGpus::look() const {
    std::vector<DeviceSample> samples;
    for (const Device& device : devices_) {
        DeviceSample sample;
        sample.uuid = device.uuid;
        sample.at = agenda_.now();
        sample.has_process_memory = true;
        sample.processes = machine_.memory_on(device.uuid, sample.used);
        if (device.index == 0 && foreign_.value > 0) {
            sample.processes.push_back({kForeignPid, foreign_, "another program"});
        }
        for (const ProcessMemory& process : sample.processes) sample.used += process.used;
        sample.used = std::min(sample.used, device.total);
        sample.is_healthy = is_healthy_ || device.index > 0;
        if (!sample.is_healthy) sample.fault = "the driver lost it";
        samples.push_back(std::move(sample));
    }
    return samples;
}

}  // namespace nightshift::tests
