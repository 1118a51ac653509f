#include <cstdio>

#include "daemon/gpu/probe.h"

namespace nightshift::daemon {

namespace {

constexpr std::int64_t kForeignPid = 1;

class FakeProbe final : public GpuProbe {
  public:
    FakeProbe(const SimulateSpec& spec, const Clock& clock, Claimed claimed)
        : spec_(spec), clock_(clock), claimed_(std::move(claimed)), started_(clock.steady()) {
        int index = 0;
        for (const Bytes total : spec.gpus) {
            Device device;
            char uuid[48];
            std::snprintf(uuid, sizeof uuid, "GPU-51300000-0000-4000-8000-%012d", index);
            device.uuid = uuid;
            device.index = index++;
            device.name = "Simulated GPU " + format_bytes(total);
            device.total = total;
            device.driver = "simulated";
            device.is_simulated = true;
            devices_.push_back(std::move(device));
        }
    }

    const std::vector<Device>& devices() const override { return devices_; }

    void sample(OnSamples done) override {
        std::vector<DeviceSample> samples;
        for (const Device& device : devices_) {
            DeviceSample sample;
            sample.uuid = device.uuid;
            sample.at = clock_.now();
            sample.used = claimed_(device.uuid);
            sample.utilization = sample.used.value > 0 ? 0.9 : 0.0;
            sample.temperature_c = spec_.temperature_c.value_or(sample.used.value > 0 ? 62.0 : 41.0);
            if (device.index == 0) {
                const Bytes foreign = spec_.foreign_at(clock_.steady() - started_);
                if (foreign.value > 0) sample.processes.push_back({kForeignPid, foreign, "another program"});
                sample.used += foreign;
            }
            if (sample.used > device.total) sample.used = device.total;
            sample.has_process_memory = true;
            samples.push_back(std::move(sample));
        }
        done(std::move(samples), clock_.steady());
    }

    std::optional<Millis> next_sample_in(bool) const override {
        const Millis since = clock_.steady() - started_;
        const auto next = spec_.next_change(since);
        if (!next) return std::nullopt;
        return *next - since;
    }

  private:
    SimulateSpec spec_;
    const Clock& clock_;
    Claimed claimed_;
    Millis started_;
    std::vector<Device> devices_;
};

}  // namespace

std::unique_ptr<GpuProbe> make_fake_probe(const SimulateSpec& spec, const Clock& clock,
                                          GpuProbe::Claimed claimed) {
    return std::make_unique<FakeProbe>(spec, clock, std::move(claimed));
}

}  // namespace nightshift::daemon
