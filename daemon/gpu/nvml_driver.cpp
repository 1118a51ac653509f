#include "daemon/gpu/nvml_driver.h"

#include <algorithm>
#include <chrono>

namespace nightshift::daemon {

namespace {

Millis steady_now() {
    using namespace std::chrono;
    return Millis{duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count()};
}

DeviceSample unreachable(const Device& device, const std::string& fault) {
    DeviceSample sample;
    sample.uuid = device.uuid;
    sample.is_healthy = false;
    sample.fault = fault;
    return sample;
}

}  // namespace

Device unknown_gpu() {
    Device device;
    device.uuid = "GPU-not-answering";
    device.name = "NVIDIA GPU (its driver does not answer)";
    return device;
}

NvmlDriver::NvmlDriver() {
    load();
    if (!library_) pace_.fail(steady_now());
    if (known_.empty()) known_.push_back(unknown_gpu());
}

void NvmlDriver::load() {
    library_.reset();  // a second copy beside it would be the old one again
    NvmlLibrary::Loaded loaded = NvmlLibrary::load();
    library_ = std::move(loaded.library);
    is_absent_ = loaded.is_absent;
    fault_ = std::move(loaded.fault);
    if (!library_) return;
    if (!known_.empty() && known_.front().total.value == 0) known_.clear();
    for (const Device& device : library_->devices()) {
        const auto same = std::find_if(known_.begin(), known_.end(),
                                       [&](const Device& known) { return known.uuid == device.uuid; });
        if (same == known_.end()) {
            known_.push_back(device);
        } else {
            *same = device;
        }
    }
}

NvmlDriver::Answer NvmlDriver::look() {
    Answer answer;
    if (library_ && take_samples(answer)) {
        pace_.succeed();
        return answer;
    }
    const Millis now = steady_now();
    pace_.fail(now);
    if (pace_.is_due(now)) {
        pace_.attempt(now);
        load();
        if (take_samples(answer)) pace_.succeed();
    } else if (!library_) {
        take_samples(answer);
    }
    return answer;
}

DeviceSample NvmlDriver::sample_of(const Device& device) const {
    if (!library_) return unreachable(device, fault_);
    const std::vector<Device>& shown = library_->devices();
    for (std::size_t i = 0; i < shown.size(); ++i) {
        if (shown[i].uuid == device.uuid) return library_->sample(i);
    }
    return unreachable(device, "The driver does not show this GPU any more.");
}

bool NvmlDriver::take_samples(Answer& answer) const {
    bool is_whole = true;
    answer.devices = known_;
    answer.samples.clear();
    for (const Device& device : known_) {
        answer.samples.push_back(sample_of(device));
        is_whole = is_whole && answer.samples.back().is_healthy;
    }
    return is_whole;
}

}  // namespace nightshift::daemon
