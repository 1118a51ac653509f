#include "scheduler/ledger.h"

#include <algorithm>

#include "scheduler/defect.h"
#include "scheduler/runtime.h"

namespace nightshift {

Ledger::Ledger(const Snapshot& snapshot, const WindowBook& windows, UnixMs now)
    : snapshot_(&snapshot), windows_(&windows) {
    for (const LiveJob& live : snapshot.live) {
        Hold hold;
        hold.job = live.job.id;
        hold.job_class = live.job.spec.job_class;
        hold.device = live.lease.device;
        hold.bytes = NIGHTSHIFT_RULE(10, live.lease.held(), live.lease.used);
        hold.ram = live.job.spec.ram;
        hold.cpu = cpu_need(live.job.spec, snapshot);
        hold.is_leaving = live.job.state == JobState::kYielding || live.job.state == JobState::kStopping;
        hold.end = predicted_end(live, snapshot, now);
        holds_.push_back(hold);
        take(hold);
    }
    for (const Lease& lease : snapshot.reclaiming) {
        Hold hold;
        hold.job = lease.attempt.job;
        hold.device = lease.device;
        hold.bytes = NIGHTSHIFT_RULE(11, lease.held(), Bytes{});
        hold.is_leaving = true;
        hold.is_reclaiming = true;
        holds_.push_back(hold);
    }
    for (const Hold& hold : holds_) held_before_[hold.device] += hold.bytes;
}

VramTerms Ledger::terms(const JobSpec& spec, const DeviceState& device, std::optional<UnixMs> end,
                        Moment moment) const {
    const bool is_settled = moment == Moment::kSettled;
    VramTerms terms;
    terms.device = device.device.uuid;
    terms.needed = spec.vram;
    terms.capacity = device.device.total;
    terms.safety = snapshot_->policy.safety;
    Bytes held_by_inference;
    const auto add = [&](const Hold& hold) {
        terms.held += hold.bytes;
        terms.held_by.emplace_back(hold.job, hold.bytes);
        const bool is_inference = hold.job_class == JobClass::kInference && !hold.is_reclaiming;
        if (is_inference) held_by_inference += hold.bytes;
    };
    for (const Hold& hold : holds_) {
        if (hold.device != terms.device || hold.bytes.value == 0) continue;
        if (!is_settled || !hold.is_leaving) add(hold);
    }
    for (const Hold& hold : kept_) {
        if (NIGHTSHIFT_RULE(52, is_settled, false) && hold.device == terms.device) add(hold);
    }
    terms.foreign = device.foreign;
    const bool is_measured = device.sample && !device.device.is_simulated && !device.device.is_host;
    const auto before = held_before_.find(terms.device);
    // No sample shows what this plan has granted, so a grant must not account for what a sample shows.
    const Bytes named =
        NIGHTSHIFT_RULE(54, before == held_before_.end() ? Bytes{} : before->second, terms.held);
    if (is_measured && device.sample->used > named + terms.foreign) {
        // The driver shows more than we can name, e.g. a program that started within the filter's delay.
        terms.foreign = device.sample->used - named;
    }
    const bool shares_with_inference = class_may_use(JobClass::kInference, snapshot_->policy, device.device);
    if (spec.job_class != JobClass::kInference && shares_with_inference) {
        // Who cannot be asked to leave has to live with the headroom of the whole run, however long.
        const UnixMs last = end.value_or(UnixMs{INT64_MAX});
        const HeadroomStep step = windows_->headroom(
            NIGHTSHIFT_RULE(3, spec.preemptible, true) ? std::nullopt : std::optional(last));
        terms.headroom = std::max(Bytes{}, step.vram - held_by_inference);
        terms.headroom_window = step.window;
    }
    terms.available = std::max(Bytes{}, slack_of(terms));
    return terms;
}

void Ledger::grant(const Job& job, const std::string& device, std::optional<UnixMs> end) {
    holds_.push_back(hold_of(job, device, end));
    take(holds_.back());
}

void Ledger::set_aside(const Job& job, const std::string& device, std::optional<UnixMs> end) {
    kept_.push_back(hold_of(job, device, end));
    take(kept_.back());
}

bool Ledger::is_kept_for(JobId job) const {
    return std::any_of(kept_.begin(), kept_.end(), [job](const Hold& hold) { return hold.job == job; });
}

Hold Ledger::hold_of(const Job& job, const std::string& device, std::optional<UnixMs> end) const {
    Hold hold;
    hold.job = job.id;
    hold.job_class = job.spec.job_class;
    hold.device = device;
    hold.bytes = job.spec.vram;
    hold.ram = job.spec.ram;
    hold.cpu = cpu_need(job.spec, *snapshot_);
    hold.end = end;
    return hold;
}

void Ledger::take(const Hold& hold) {
    ram_used_ += hold.ram;
    cpu_used_ += hold.cpu;
    if (hold.job_class == JobClass::kInference) cpu_of_inference_ += hold.cpu;
    ++running_;
}

void Ledger::leave(JobId job) {
    for (Hold& hold : holds_) {
        if (hold.job == job) hold.is_leaving = true;
    }
}

bool Ledger::is_leaving(JobId job) const {
    return std::any_of(holds_.begin(), holds_.end(),
                       [job](const Hold& hold) { return hold.job == job && hold.is_leaving; });
}

Bytes Ledger::leaving(const std::string& device) const {
    Bytes sum;
    for (const Hold& hold : holds_) {
        if (hold.device == device && hold.is_leaving) sum += hold.bytes;
    }
    return sum;
}

int Ledger::cpu_used(JobClass seen_by) const {
    return NIGHTSHIFT_RULE(4, seen_by == JobClass::kInference, false) ? cpu_of_inference_ : cpu_used_;
}

MachineShare Ledger::leaving_share(JobClass seen_by) const {
    MachineShare share;
    for (const Hold& hold : holds_) {
        if (!hold.is_leaving || hold.is_reclaiming) continue;
        share.ram += hold.ram;
        const bool is_seen = seen_by != JobClass::kInference || hold.job_class == JobClass::kInference;
        share.cpu += is_seen ? hold.cpu : 0;
        ++share.slots;
    }
    return share;
}

Bytes slack_of(const VramTerms& terms) {
    return terms.capacity - terms.safety - terms.foreign - terms.held - terms.headroom;
}

int cpu_need(const JobSpec& spec, const Snapshot& snapshot) {
    return std::clamp(spec.cpu, 0, std::max(snapshot.cpu_total, 0));
}

bool may_use(const JobSpec& spec, const Policy& policy, const Device& device) {
    if (!spec.gpu.empty() && spec.gpu != device.uuid) return false;
    return class_may_use(spec.job_class, policy, device);
}

Bytes budget_max(const JobSpec& spec, const Policy& policy, const std::vector<Device>& devices) {
    Bytes most;
    for (const Device& device : devices) {
        if (device.total.value == 0) most = Bytes{INT64_MAX};
        if (may_use(spec, policy, device)) most = std::max(most, device.total - policy.safety);
    }
    const auto vram_max = policy.of(spec.job_class).vram_max;
    return vram_max ? std::min(most, *vram_max) : most;
}

bool class_may_use(JobClass job_class, const Policy& policy, const Device& device) {
    const auto& gpus = policy.of(job_class).gpus;
    return gpus.empty() || std::find(gpus.begin(), gpus.end(), device.index) != gpus.end();
}

}  // namespace nightshift
