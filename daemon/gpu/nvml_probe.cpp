#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "daemon/gpu/nvml_driver.h"
#include "daemon/gpu/probe.h"

namespace nightshift::daemon {

namespace {

constexpr auto kFirstAnswer = std::chrono::seconds(8);
/// A request that takes longer marks the devices as not answering.
constexpr auto kSilence = std::chrono::seconds(5);
constexpr Millis kBusyStep = seconds(1);
constexpr Millis kIdleStep = seconds(5);

/// Between the loop and the helper thread; outlives whichever ends first.
struct Desk {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_asked = false;
    bool is_closed = false;
    bool is_loaded = false;
    bool is_absent = false;
    std::vector<Device> devices;
    std::function<void(NvmlDriver::Answer)> deliver;
};

void work(const std::shared_ptr<Desk>& desk) {
    NvmlDriver driver;
    {
        const std::lock_guard lock(desk->mutex);
        desk->devices = driver.known();
        desk->is_absent = driver.is_absent();
        desk->is_loaded = true;
    }
    desk->changed.notify_all();
    while (true) {
        {
            std::unique_lock lock(desk->mutex);
            desk->changed.wait(lock, [&] { return desk->is_asked || desk->is_closed; });
            if (desk->is_closed) return;
            desk->is_asked = false;
        }
        NvmlDriver::Answer answer = driver.look();
        const std::lock_guard lock(desk->mutex);
        if (desk->is_closed) return;
        desk->deliver(std::move(answer));
    }
}

class NvmlProbe final : public GpuProbe {
  public:
    NvmlProbe(boost::asio::io_context& loop, const Clock& clock, std::shared_ptr<Desk> desk,
              std::vector<Device> devices)
        : clock_(clock), desk_(std::move(desk)), devices_(std::move(devices)), silence_(loop) {
        const std::lock_guard lock(desk_->mutex);
        desk_->deliver = [this, &loop, gone = is_gone_](NvmlDriver::Answer answer) {
            boost::asio::post(loop, [this, gone, answer = std::move(answer)]() mutable {
                if (!*gone) arrive(std::move(answer));
            });
        };
    }
    ~NvmlProbe() override {
        *is_gone_ = true;
        {
            const std::lock_guard lock(desk_->mutex);
            desk_->is_closed = true;
        }
        desk_->changed.notify_all();
    }

    const std::vector<Device>& devices() const override { return devices_; }

    void sample(OnSamples done) override {
        if (done_) return;
        done_ = std::move(done);
        asked_at_ = clock_.steady();
        silence_.expires_after(kSilence);
        silence_.async_wait([this, gone = is_gone_](const boost::system::error_code& error) {
            if (!error && !*gone) report_silence();
        });
        {
            const std::lock_guard lock(desk_->mutex);
            desk_->is_asked = true;
        }
        desk_->changed.notify_all();
    }

    std::optional<Millis> next_sample_in(bool is_busy) const override {
        return is_busy || is_troubled_ ? kBusyStep : kIdleStep;
    }

  private:
    void arrive(NvmlDriver::Answer answer) {
        silence_.cancel();
        devices_ = std::move(answer.devices);
        is_troubled_ = false;
        for (DeviceSample& sample : answer.samples) {
            sample.at = clock_.now();
            is_troubled_ = is_troubled_ || !sample.is_healthy;
        }
        const OnSamples done = std::move(done_);
        done_ = nullptr;
        if (done) done(std::move(answer.samples), asked_at_);
    }

    /// The answer is still owed; until it comes nothing that is known of the devices is to be relied on.
    void report_silence() {
        if (!done_) return;
        spdlog::warn("gpu_silent seconds={}", kSilence.count());
        std::vector<DeviceSample> samples;
        for (const Device& device : devices_) {
            DeviceSample sample;
            sample.uuid = device.uuid;
            sample.at = clock_.now();
            sample.is_healthy = false;
            sample.fault = "The driver has not answered for " + std::to_string(kSilence.count()) +
                           " seconds. If that goes on, restart the machine.";
            samples.push_back(std::move(sample));
        }
        const OnSamples done = done_;
        done(std::move(samples), asked_at_);
    }

    const Clock& clock_;
    std::shared_ptr<Desk> desk_;
    std::vector<Device> devices_;
    boost::asio::steady_timer silence_;
    OnSamples done_;
    Millis asked_at_;
    bool is_troubled_ = false;  ///< looked at more often, to see it recover
    std::shared_ptr<bool> is_gone_ = std::make_shared<bool>(false);  // read and written on the loop only
};

}  // namespace

std::unique_ptr<GpuProbe> make_nvml_probe(boost::asio::io_context& loop, const Clock& clock) {
    auto desk = std::make_shared<Desk>();
    // Detached: a call into a sick driver cannot be ended, and must not hold up the daemon's end.
    std::thread(work, desk).detach();
    std::unique_lock lock(desk->mutex);
    desk->changed.wait_for(lock, kFirstAnswer, [&] { return desk->is_loaded; });
    if (desk->is_loaded && desk->is_absent) {
        desk->is_closed = true;
        lock.unlock();
        desk->changed.notify_all();
        return nullptr;
    }
    std::vector<Device> devices =
        desk->is_loaded ? desk->devices : std::vector<Device>{unknown_gpu()};
    lock.unlock();
    return std::make_unique<NvmlProbe>(loop, clock, desk, std::move(devices));
}

}  // namespace nightshift::daemon
