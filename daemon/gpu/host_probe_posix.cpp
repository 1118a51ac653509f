#include <unistd.h>

#include <algorithm>
#include <thread>

#include "daemon/gpu/probe.h"

namespace nightshift::daemon {

namespace {

class HostProbe final : public GpuProbe {
  public:
    HostProbe(const Clock& clock, Claimed claimed) : clock_(clock), claimed_(std::move(claimed)) {
        Device device;
        device.uuid = "host";
        device.name = "Host memory";
        device.total = Bytes{machine_memory().value / 2};
        device.driver = "none";
        device.is_host = true;
        devices_.push_back(std::move(device));
    }

    const std::vector<Device>& devices() const override { return devices_; }

    void sample(OnSamples done) override {
        DeviceSample sample;
        sample.uuid = devices_.front().uuid;
        sample.at = clock_.now();
        sample.used = std::min(claimed_(sample.uuid), devices_.front().total);
        sample.has_process_memory = true;
        done({std::move(sample)}, clock_.steady());
    }

    std::optional<Millis> next_sample_in(bool) const override { return std::nullopt; }

  private:
    const Clock& clock_;
    Claimed claimed_;
    std::vector<Device> devices_;
};

}  // namespace

std::unique_ptr<GpuProbe> make_host_probe(const Clock& clock, GpuProbe::Claimed claimed) {
    return std::make_unique<HostProbe>(clock, std::move(claimed));
}

Bytes machine_memory() {
    const std::int64_t pages = sysconf(_SC_PHYS_PAGES);
    const std::int64_t page = sysconf(_SC_PAGE_SIZE);
    return Bytes{std::max<std::int64_t>(pages, 0) * std::max<std::int64_t>(page, 0)};
}

int machine_cores() {
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace nightshift::daemon
