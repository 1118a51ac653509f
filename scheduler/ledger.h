#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/planner.h"
#include "scheduler/snapshot.h"
#include "scheduler/windows.h"

namespace nightshift {

/// One claim on the memory of a device.
struct Hold {
    JobId job;
    JobClass job_class = JobClass::kTraining;
    std::string device;
    Bytes ram;
    int cpu = 0;
    Bytes bytes;                 ///< max(budget, used): what is reserved though not yet allocated counts
    bool is_leaving = false;     ///< asked to leave, being killed, or gone and not yet seen free
    bool is_reclaiming = false;  ///< gone and not yet seen free
    std::optional<UnixMs> end;   ///< expected, cautiously; nothing when unknown
};

/// Which sums are meant.
enum class Moment {
    kNow,
    kSettled  ///< those who are leaving have left, and those for whom room was set aside have started
};

/// RAM, CPU slots and running jobs.
struct MachineShare {
    Bytes ram;
    int cpu = 0;
    int slots = 0;
};

/// What is held of the machine while one plan is made: VRAM for each device, RAM, CPU slots, and the
/// number of running jobs. Starts of the plan are added as they are decided, so that no sum is ever
/// granted twice. Value type with references to the snapshot and the windows it was made from.
class Ledger {
  public:
    Ledger(const Snapshot& snapshot, const WindowBook& windows, UnixMs now);

    /// The numbers for starting `spec` on `device`. `end`: when the run is expected to be over; a job
    /// that cannot be preempted has to live with the headroom of its whole run.
    VramTerms terms(const JobSpec& spec, const DeviceState& device, std::optional<UnixMs> end,
                    Moment moment = Moment::kNow) const;

    void grant(const Job& job, const std::string& device, std::optional<UnixMs> end);
    /// Keeps RAM, CPU slots and a place among the running for a job whose VRAM is on its way, so that
    /// nobody takes them meanwhile, and that VRAM, so that it is promised to nobody else.
    void set_aside(const Job& job, const std::string& device, std::optional<UnixMs> end);
    /// What was set aside, in order.
    const std::vector<Hold>& kept() const { return kept_; }
    bool is_kept_for(JobId job) const;
    /// Marks a live job as leaving: its bytes are on their way.
    void leave(JobId job);

    bool is_leaving(JobId job) const;

    const std::vector<Hold>& holds() const { return holds_; }
    /// Bytes on the device that are on their way back.
    Bytes leaving(const std::string& device) const;
    /// What leaving jobs will give back beside VRAM.
    MachineShare leaving_share(JobClass seen_by) const;
    Bytes ram_used() const { return ram_used_; }
    /// CPU slots taken as a class sees them. Slots are shares of time, which the system divides: inference
    /// counts those of inference alone and starts beside everybody else, who then wait for theirs.
    int cpu_used(JobClass seen_by) const;
    int running() const { return running_; }

  private:
    /// Of a job that is not live yet.
    Hold hold_of(const Job& job, const std::string& device, std::optional<UnixMs> end) const;
    /// Takes its RAM, CPU slots and place among the running.
    void take(const Hold& hold);

    const Snapshot* snapshot_;
    const WindowBook* windows_;
    std::vector<Hold> holds_;
    std::vector<Hold> kept_;
    std::map<std::string, Bytes> held_before_;  ///< by device, before any grant of this plan
    Bytes ram_used_;
    int cpu_used_ = 0;
    int cpu_of_inference_ = 0;
    int running_ = 0;
};

/// capacity - safety - foreign - held - headroom without the floor at 0: below 0 when the device is
/// overcommitted, e.g. because other programs have grown.
Bytes slack_of(const VramTerms& terms);

/// CPU slots a job takes; one that asks for more than the machine has takes all.
int cpu_need(const JobSpec& spec, const Snapshot& snapshot);

/// False when the policy does not let the class use the device, or the job names another one.
bool may_use(const JobSpec& spec, const Policy& policy, const Device& device);
bool class_may_use(JobClass job_class, const Policy& policy, const Device& device);

/// The largest budget that the policy and the devices allow for such a job; as large as may be while no
/// device has told its size.
Bytes budget_max(const JobSpec& spec, const Policy& policy, const std::vector<Device>& devices);

}  // namespace nightshift
