#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "daemon/gpu/nvml_library.h"
#include "daemon/gpu/probe.h"

namespace nightshift::daemon {

namespace {

constexpr auto kFirstAnswer = std::chrono::seconds(8);
/// A request that takes longer marks the devices as not answering.
constexpr Millis kStale = seconds(5);
constexpr Millis kBusyStep = seconds(1);
constexpr Millis kIdleStep = seconds(5);

/// Between the loop and the helper thread; outlives whichever ends first.
struct Desk {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_asked = false;
    bool is_closed = false;
    bool is_loaded = false;
    std::vector<Device> devices;
    std::function<void(std::vector<DeviceSample>)> deliver;
};

void work(const std::shared_ptr<Desk>& desk) {
    const auto library = NvmlLibrary::load();
    {
        const std::lock_guard lock(desk->mutex);
        if (library) desk->devices = library->devices();
        desk->is_loaded = true;
    }
    desk->changed.notify_all();
    while (library) {
        {
            std::unique_lock lock(desk->mutex);
            desk->changed.wait(lock, [&] { return desk->is_asked || desk->is_closed; });
            if (desk->is_closed) return;
            desk->is_asked = false;
        }
        std::vector<DeviceSample> samples;
        for (std::size_t i = 0; i < library->devices().size(); ++i) samples.push_back(library->sample(i));
        const std::lock_guard lock(desk->mutex);
        if (desk->is_closed) return;
        desk->deliver(std::move(samples));
    }
}

class NvmlProbe final : public GpuProbe {
  public:
    NvmlProbe(boost::asio::io_context& loop, const Clock& clock, std::shared_ptr<Desk> desk)
        : clock_(clock), desk_(std::move(desk)), devices_(desk_->devices) {
        const std::lock_guard lock(desk_->mutex);
        desk_->deliver = [this, &loop, gone = is_gone_](std::vector<DeviceSample> samples) {
            boost::asio::post(loop, [this, gone, samples = std::move(samples)]() mutable {
                if (!*gone) arrive(std::move(samples));
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
        if (done_) {
            if (clock_.steady() - asked_at_ > kStale) report_silence();
            return;
        }
        done_ = std::move(done);
        asked_at_ = clock_.steady();
        {
            const std::lock_guard lock(desk_->mutex);
            desk_->is_asked = true;
        }
        desk_->changed.notify_all();
    }

    std::optional<Millis> next_sample_in(bool is_busy) const override {
        return is_busy ? kBusyStep : kIdleStep;
    }

  private:
    void arrive(std::vector<DeviceSample> samples) {
        for (DeviceSample& sample : samples) sample.at = clock_.now();
        last_ = samples;
        const OnSamples done = std::move(done_);
        done_ = nullptr;
        if (done) done(std::move(samples));
    }

    /// The answer is still owed; until it comes the newest numbers stand, marked as not to be relied on.
    void report_silence() {
        std::vector<DeviceSample> samples = last_;
        for (DeviceSample& sample : samples) {
            sample.at = clock_.now();
            sample.is_healthy = false;
            sample.fault = "The driver has not answered for 5 seconds; nothing new is started on this GPU.";
        }
        if (!samples.empty()) done_(std::move(samples));
    }

    const Clock& clock_;
    std::shared_ptr<Desk> desk_;
    std::vector<Device> devices_;
    OnSamples done_;
    Millis asked_at_;
    std::vector<DeviceSample> last_;
    std::shared_ptr<bool> is_gone_ = std::make_shared<bool>(false);  // read and written on the loop only
};

}  // namespace

std::unique_ptr<GpuProbe> make_nvml_probe(boost::asio::io_context& loop, const Clock& clock) {
    auto desk = std::make_shared<Desk>();
    // Detached: a call into a sick driver cannot be ended, and must not hold up the daemon's end.
    std::thread(work, desk).detach();
    std::unique_lock lock(desk->mutex);
    desk->changed.wait_for(lock, kFirstAnswer, [&] { return desk->is_loaded; });
    if (desk->devices.empty()) {
        desk->is_closed = true;
        lock.unlock();
        desk->changed.notify_all();
        return nullptr;
    }
    lock.unlock();
    return std::make_unique<NvmlProbe>(loop, clock, desk);
}

}  // namespace nightshift::daemon
