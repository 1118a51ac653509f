#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/gpu/foreign_filter.h"
#include "daemon/gpu/probe.h"
#include "scheduler/snapshot.h"

namespace nightshift::daemon {

/// What is known of every device: newest sample, foreign memory, the curve of the last hours.
/// Thread: the loop.
class DeviceBook {
  public:
    /// What our attempts hold on one device according to a sample of it, and which pids are theirs.
    struct Ours {
        Bytes used;
        std::vector<std::int64_t> pids;
    };
    /// `foreign`: what other programs held according to the sample before.
    using FindOurs = std::function<Ours(const DeviceSample&, Bytes foreign)>;

    DeviceBook(std::unique_ptr<GpuProbe> probe, const Clock& clock, FindOurs find_ours);

    /// Asks for samples; `done` hears, on the loop, whether memory moved by more than a little, or a device
    /// fell ill, recovered or appeared. Called again when devices that were silent answer after all.
    void refresh(std::function<void(bool is_changed)> done);
    /// Bytes of the newest sample that were an attempt's are nobody's of ours from now on.
    void count_as_foreign(const std::string& uuid, Bytes bytes);
    std::vector<DeviceState> states() const;
    const std::vector<Device>& devices() const { return probe_->devices(); }
    /// True when the newest sample of the device was asked for at `since` (steady) or later; always where no
    /// driver counts, for there a sample says nothing new.
    bool is_sampled_since(const std::string& uuid, Millis since) const;
    std::vector<DeviceSample> history(const std::string& uuid, UnixMs since) const;
    /// How long the next sample may wait.
    std::optional<Millis> next_sample_in(bool is_busy) const;
    bool is_simulated() const;
    /// True where the driver counts memory; elsewhere workers' claims are all there is.
    bool is_measured() const;

  private:
    struct Page {
        DeviceState state;
        ForeignFilter filter;
        std::deque<DeviceSample> history;
        std::optional<Millis> asked_at;  ///< steady: of the newest healthy sample
    };
    /// Makes and drops pages until there is one for each device.
    bool follow_devices();
    bool take(DeviceSample sample, Millis asked_at);
    static bool mark_unhealthy(Page& page, DeviceSample sample);
    static void name_foreign(Page& page, const DeviceSample& sample, const Ours& ours);
    static void remember(Page& page);

    std::unique_ptr<GpuProbe> probe_;
    const Clock& clock_;
    FindOurs find_ours_;
    std::map<std::string, Page> pages_;
};

}  // namespace nightshift::daemon
