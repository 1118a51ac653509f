#include "daemon/gpu/device_book.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>

namespace nightshift::daemon {

namespace {

/// Changes below this do not make the planner look again (scheduler.md 5.5).
constexpr Bytes kWorthPlanning = mebibytes(64);
constexpr std::size_t kHistoryMax = 8192;
/// Samples closer than this replace each other in the curve, unless memory moved.
constexpr Millis kHistoryStep = seconds(2);
constexpr std::size_t kForeignProgramsMax = 8;

}  // namespace

DeviceBook::DeviceBook(std::unique_ptr<GpuProbe> probe, const Clock& clock, FindOurs find_ours)
    : probe_(std::move(probe)), clock_(clock), find_ours_(std::move(find_ours)) {
    follow_devices();
}

bool DeviceBook::follow_devices() {
    const std::vector<Device>& devices = probe_->devices();
    const auto is_known = [&](const std::string& uuid) {
        return std::any_of(devices.begin(), devices.end(), [&](const Device& d) { return d.uuid == uuid; });
    };
    bool is_changed = std::erase_if(pages_, [&](const auto& page) { return !is_known(page.first); }) > 0;
    for (const Device& device : devices) {
        is_changed = is_changed || !pages_.contains(device.uuid);
        pages_[device.uuid].state.device = device;
    }
    return is_changed;
}

bool DeviceBook::is_simulated() const {
    return !probe_->devices().empty() && probe_->devices().front().is_simulated;
}

bool DeviceBook::is_measured() const {
    return !probe_->devices().empty() && !probe_->devices().front().is_simulated &&
           !probe_->devices().front().is_host;
}

void DeviceBook::refresh(std::function<void(bool)> done) {
    probe_->sample([this, done = std::move(done)](std::vector<DeviceSample> samples, Millis asked_at) {
        bool is_changed = follow_devices();
        for (DeviceSample& sample : samples) is_changed = take(std::move(sample), asked_at) || is_changed;
        if (done) done(is_changed);
    });
}

bool DeviceBook::take(DeviceSample sample, Millis asked_at) {
    const auto found = pages_.find(sample.uuid);
    if (found == pages_.end()) return false;
    Page& page = found->second;
    if (!sample.is_healthy) return mark_unhealthy(page, std::move(sample));
    page.asked_at = asked_at;
    const Ours ours = find_ours_(sample, page.filter.value());
    const Bytes measured{std::max<std::int64_t>(0, sample.used.value - ours.used.value)};
    const Bytes foreign = is_measured() ? page.filter.update(measured, clock_.steady()) : measured;
    const Bytes used_before = page.state.sample ? page.state.sample->used : Bytes{-1};
    const bool was_healthy = !page.state.sample || page.state.sample->is_healthy;
    if (!was_healthy) spdlog::info("gpu_recovered uuid={}", sample.uuid);
    const bool is_changed = std::llabs(sample.used.value - used_before.value) >= kWorthPlanning.value ||
                            std::llabs(foreign.value - page.state.foreign.value) >= kWorthPlanning.value ||
                            !was_healthy;
    page.state.foreign = foreign;
    name_foreign(page, sample, ours);
    page.state.sample = std::move(sample);
    remember(page);
    return is_changed;
}

bool DeviceBook::mark_unhealthy(Page& page, DeviceSample sample) {
    // The newest numbers stand, marked as not to be relied on: a sick driver tells none.
    const auto& before = page.state.sample;
    const bool is_changed = !before || before->is_healthy || before->fault != sample.fault;
    if (before) {
        DeviceSample kept = *before;
        kept.is_healthy = false;
        kept.fault = std::move(sample.fault);
        sample = std::move(kept);
    }
    if (is_changed) spdlog::warn("gpu_unhealthy uuid={} fault=\"{}\"", sample.uuid, sample.fault);
    page.state.sample = std::move(sample);
    return is_changed;
}

void DeviceBook::name_foreign(Page& page, const DeviceSample& sample, const Ours& ours) {
    auto& programs = page.state.foreign_programs;
    programs.clear();
    for (const ProcessMemory& process : sample.processes) {
        if (std::find(ours.pids.begin(), ours.pids.end(), process.pid) == ours.pids.end()) {
            programs.emplace_back(process.name, process.used);
        }
    }
    std::sort(programs.begin(), programs.end(),
              [](const auto& a, const auto& b) { return a.second > b.second; });
    if (programs.size() > kForeignProgramsMax) programs.resize(kForeignProgramsMax);
}

void DeviceBook::count_as_foreign(const std::string& uuid, Bytes bytes) {
    const auto found = pages_.find(uuid);
    if (found == pages_.end() || !found->second.state.sample) return;
    DeviceState& state = found->second.state;
    state.foreign = std::max(state.foreign, std::min(state.foreign + bytes, state.sample->used));
}

bool DeviceBook::is_sampled_since(const std::string& uuid, Millis since) const {
    if (!is_measured()) return true;
    const auto found = pages_.find(uuid);
    return found != pages_.end() && found->second.asked_at && *found->second.asked_at >= since;
}

void DeviceBook::remember(Page& page) {
    DeviceSample point = *page.state.sample;
    point.processes.clear();
    if (!page.history.empty()) {
        const DeviceSample& last = page.history.back();
        const bool has_moved = last.used != point.used;
        if (!has_moved && point.at - last.at < kHistoryStep) return;
    }
    page.history.push_back(std::move(point));
    if (page.history.size() > kHistoryMax) page.history.pop_front();
}

std::vector<DeviceState> DeviceBook::states() const {
    std::vector<DeviceState> all;
    for (const Device& device : probe_->devices()) all.push_back(pages_.at(device.uuid).state);
    return all;
}

std::vector<DeviceSample> DeviceBook::history(const std::string& uuid, UnixMs since) const {
    const auto found = pages_.find(uuid);
    if (found == pages_.end()) return {};
    std::vector<DeviceSample> samples;
    for (const DeviceSample& sample : found->second.history) {
        if (sample.at >= since) samples.push_back(sample);
    }
    return samples;
}

std::optional<Millis> DeviceBook::next_sample_in(bool is_busy) const {
    for (const auto& [uuid, page] : pages_) {
        if (page.filter.is_settling()) return seconds(1);
    }
    return probe_->next_sample_in(is_busy);
}

}  // namespace nightshift::daemon
