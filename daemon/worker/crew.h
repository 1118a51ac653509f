#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/gpu/device_book.h"
#include "daemon/loop.h"
#include "daemon/worker/release_watch.h"
#include "daemon/worker/supervisor.h"
#include "scheduler/snapshot.h"

namespace nightshift::daemon {

/// All attempts that have a process, and their way to us. Thread: the loop.
class Crew {
  public:
    Crew(Loop& loop, Workplace workplace);
    /// Opens control.sock in the current folder.
    Status open();
    /// A worker has come: what control.sock hands over.
    void on_hello(std::shared_ptr<Channel> channel, const wire::Hello& hello);
    /// Takes no more connections; workers run on.
    void close();
    /// Where devices are looked after; set once before anything starts.
    void set_devices(DeviceBook& devices) { devices_ = &devices; }

    /// Called whenever the last process has gone and its end is stored.
    void set_on_empty(std::function<void()> on_empty) { on_empty_ = std::move(on_empty); }

    void start(Job job, Attempt attempt, Bytes budget);
    void adopt(const LiveJob& live, std::unique_ptr<Process> process, bool is_ended);
    /// The attempt's supervisor while its process lives, else nothing.
    std::shared_ptr<Supervisor> find(const AttemptId& id) const;
    std::shared_ptr<Supervisor> find(JobId job) const;
    std::size_t size() const { return members_.size(); }
    const Workplace& workplace() const { return workplace_; }

    /// Bytes our workers claim on a device.
    Bytes claimed_on(const std::string& uuid) const;
    /// Attributes a driver's sample to attempts: by the session of each process, or by their budgets where
    /// the driver does not tell what each process holds. What is left over may be that of attempts that have
    /// just ended. `foreign`: what other programs held before.
    DeviceBook::Ours attribute(const DeviceSample& sample, Bytes foreign);
    /// Puts what is newer in memory over what the database said.
    void complete(Snapshot& snapshot, UnixMs now) const;
    /// Leases of ended attempts whose memory the driver shows free, or that outstayed a bound.
    void release_leases();
    /// The attempt has no process any more: its lease goes once the device shows the memory free, or at once
    /// where nothing is measured. Says whether the device has to be watched for it.
    bool expect_release(const Lease& lease);
    /// Asks for samples now and then: on every change of claims, and by the probe's own clock.
    void refresh_devices();
    /// Asks for a sample, and for another look at the plan when it is there.
    void confirm_devices();

  private:
    void on_finished(const AttemptId& id);
    void release(const ReleaseWatch::Over& over);
    bool is_measured() const { return devices_ != nullptr && devices_->is_measured(); }
    void arm_ping();
    void arm_sample();
    Supervisor::Callbacks callbacks();

    Loop& loop_;
    Workplace workplace_;
    DeviceBook* devices_ = nullptr;
    std::unique_ptr<ControlListener> listener_;
    std::map<AttemptId, std::shared_ptr<Supervisor>> members_;
    ReleaseWatch releases_;
    std::function<void()> on_empty_;
    std::unique_ptr<Alarm> ping_;
    std::unique_ptr<Alarm> sample_;
    bool is_look_wanted_ = false;  ///< with the next sample, whatever it shows
};

}  // namespace nightshift::daemon
