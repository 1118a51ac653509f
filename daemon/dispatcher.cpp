#include "daemon/dispatcher.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/policy_codec.h"
#include "daemon/credentials.h"
#include "scheduler/crash_point.h"
#include "scheduler/gates.h"
#include "scheduler/windows.h"

namespace nightshift::daemon {

namespace {

/// Rows that become due at once are taken in portions, so that a tick stays short.
constexpr int kWakePerTick = 4096;
constexpr int kExpirePerTick = 1000;

/// Foreign memory that moves by less than this is no news.
constexpr Bytes kForeignStep = mebibytes(64);

std::vector<db::PlanDevice> devices_of(const Snapshot& snapshot) {
    std::vector<db::PlanDevice> devices;
    for (const DeviceState& state : snapshot.devices) {
        devices.push_back({state.device.uuid, state.device.name, state.device.total, state.foreign});
    }
    return devices;
}

bool is_new(const std::vector<db::PlanDevice>& now, const std::vector<db::PlanDevice>& before) {
    return !std::equal(now.begin(), now.end(), before.begin(), before.end(),
                       [](const db::PlanDevice& a, const db::PlanDevice& b) {
                           const Bytes step =
                               a.foreign > b.foreign ? a.foreign - b.foreign : b.foreign - a.foreign;
                           return a.uuid == b.uuid && a.total == b.total && step <= kForeignStep;
                       });
}

const Job* find_candidate(const Snapshot& snapshot, JobId id) {
    for (const auto& jobs : snapshot.candidates) {
        for (const Job& job : jobs) {
            if (job.id == id) return &job;
        }
    }
    return nullptr;
}

const LiveJob* find_live(const Snapshot& snapshot, JobId id) {
    for (const LiveJob& live : snapshot.live) {
        if (live.job.id == id) return &live;
    }
    return nullptr;
}

}  // namespace

Dispatcher::Dispatcher(Loop& loop, Crew& crew, DeviceBook& devices, const TimeZones& zones)
    : loop_(loop), crew_(crew), devices_(devices), zones_(zones) {}

Result<Snapshot> Dispatcher::snapshot(UnixMs now) const {
    Snapshot snapshot;
    snapshot.policy = policy_;
    snapshot.devices = devices_.states();
    snapshot.ram_total = crew_.workplace().memory;
    snapshot.cpu_total = crew_.workplace().cores;
    snapshot.is_draining = is_draining_;
    snapshot.plan_seq = plan_seq_;
    const WindowBook windows(policy_, zones_, now);
    for (const Window& window : policy_.windows) {
        if (!windows.status(window.name).is_open) snapshot.closed_windows.push_back(window.name);
    }
    NIGHTSHIFT_TRY(loop_.store().load_planning(snapshot, now));
    crew_.complete(snapshot, now);
    return snapshot;
}

bool Dispatcher::may_skip(const db::Store& store, UnixMs now) const {
    return planned_ && planned_version_ == store.planning_version() && !loop_.is_looking() &&
           (!next_wakeup_ || now < *next_wakeup_);
}

Status Dispatcher::decide(db::Store& store, UnixMs now) {
    starts_.clear();
    yields_.clear();
    if (may_skip(store, now)) {
        ++passes_.skipped;
        planned_next_ = planned_;
        reasons_next_.swap(reasons_);
        return {};
    }
    next_wakeup_.reset();
    planned_version_.reset();
    // Before its first sample a GPU's foreign memory is unknown, and would be given away.
    for (const DeviceState& state : devices_.states()) {
        if (!state.sample) return {};
    }
    const auto from = std::chrono::steady_clock::now();
    NIGHTSHIFT_TRY(make_pass(store, now));
    passes_.seconds_last = std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
    passes_.seconds_sum += passes_.seconds_last;
    ++passes_.made;
    return {};
}

Status Dispatcher::make_pass(db::Store& store, UnixMs now) {
    const auto woken = store.wake_due(now, kWakePerTick);
    if (!woken) return woken.error();
    auto snapshot = this->snapshot(now);
    if (!snapshot) return snapshot.error();
    snapshot->plan_seq = ++plan_seq_;
    const Plan plan = nightshift::plan(*snapshot, zones_, now, Words::kNone);
    NIGHTSHIFT_TRY(expire(store, plan.expired, now));
    held_back_.clear();
    NIGHTSHIFT_TRY(persist_starts(store, plan, *snapshot, now));
    if (held_back_.empty()) held_back_at_.reset();
    NIGHTSHIFT_TRY(persist_yields(store, plan, *snapshot, now));
    NIGHTSHIFT_TRY(persist_waiting(store, plan, *snapshot, now));
    NIGHTSHIFT_TRY(log_plan(store, *snapshot, now));
    next_wakeup_ = plan.next_wakeup;
    const auto offer = [&](const std::optional<UnixMs>& at) {
        if (at && (!next_wakeup_ || *at < *next_wakeup_)) next_wakeup_ = at;
    };
    offer(snapshot->next_timer_hint);
    offer(snapshot->pause_until);
    if (*woken == kWakePerTick) loop_.wake();
    planned_next_ = std::make_shared<api::PlannedQueue>(std::move(*snapshot), zones_, now);
    planned_version_ = store.planning_version();
    return {};
}

bool Dispatcher::is_confirmed(const Start& start) {
    if (start.budget.value == 0) return true;
    if (!held_back_at_) held_back_at_ = loop_.clock().steady();
    return devices_.is_sampled_since(start.device, *held_back_at_);
}

bool Dispatcher::is_for_a_spike(const Yield& yield, const AttemptId& attempt) const {
    if (yield.reason != "over_budget") return false;
    const auto supervisor = crew_.find(attempt);
    return !supervisor || !supervisor->is_over_budget();
}

Status Dispatcher::expire(db::Store& store, const std::vector<JobId>& planned, UnixMs now) {
    auto late = store.jobs_past_start_deadline(now, kExpirePerTick);
    if (!late) return late.error();
    for (const JobId id : planned) {
        if (std::find(late->begin(), late->end(), id) == late->end()) late->push_back(id);
    }
    for (const JobId id : *late) {
        const Outcome outcome{
            "start_deadline", "Its start deadline passed before it could start.", {}, {}, false};
        const auto skipped =
            store.finish_waiting(id, JobState::kExpired, outcome, now, {"job", "expired", "scheduler", "{}"});
        if (!skipped && skipped.error().code != ErrorCode::kConflict) return skipped.error();
    }
    // There may be more of them, and children of theirs that may start now.
    if (!late->empty()) loop_.wake();
    return {};
}

Status Dispatcher::persist_starts(db::Store& store, const Plan& plan, const Snapshot& snapshot, UnixMs now) {
    for (const Start& start : plan.starts) {
        const Job* job = find_candidate(snapshot, start.job);
        if (job == nullptr) continue;
        if (!is_confirmed(start)) {
            held_back_.push_back(start.job);
            continue;
        }
        const auto token = random_token();
        if (!token) return token.error();
        const nlohmann::json data{
            {"device", start.device}, {"budget", start.budget.value}, {"plan_seq", plan_seq_}};
        auto attempt = store.grant(start.job, *token, start.device, start.budget, now,
                                   {"job", "starting", "scheduler", data.dump()});
        if (!attempt) return attempt.error();
        crash_point("grant.stored");
        starts_.push_back({*job, std::move(*attempt), start.budget});
    }
    return {};
}

Status Dispatcher::persist_yields(db::Store& store, const Plan& plan, const Snapshot& snapshot, UnixMs now) {
    for (const Yield& yield : plan.yields) {
        const LiveJob* live = find_live(snapshot, yield.job);
        if (live == nullptr || is_for_a_spike(yield, live->attempt.id)) continue;
        const nlohmann::json data{
            {"reason", yield.reason}, {"beneficiary", yield.beneficiary.value}, {"plan_seq", plan_seq_}};
        const Status stored =
            store.set_yielding(live->attempt.id, yield.beneficiary, yield.reason, yield.deadline, now,
                               {"job", "yielding", "scheduler", data.dump()});
        if (!stored && stored.error().code == ErrorCode::kConflict) continue;  // it is leaving already
        if (!stored) return stored.error();
        crash_point("yield.stored");
        yields_.push_back({live->attempt.id, yield.deadline - now, yield.reason});
    }
    return {};
}

Status Dispatcher::persist_waiting(db::Store& store, const Plan& plan, const Snapshot& snapshot, UnixMs now) {
    reasons_next_.clear();
    for (const Explanation& explanation : plan.waiting) {
        std::vector<std::string> codes;
        for (const Gate& gate : explanation.gates) {
            if (std::find(codes.begin(), codes.end(), gate.code) == codes.end()) codes.push_back(gate.code);
        }
        const Job* job = find_candidate(snapshot, explanation.job);
        // Another version: what the store noted of it meanwhile may have ended these.
        const int version = job != nullptr ? job->version : 0;
        NIGHTSHIFT_TRY(note_reasons(store, explanation.job, {version, std::move(codes)}, now));
        // Waiting for room or for its turn makes a job older; waiting for a person or the clock does not.
        const bool may_age = is_eligible(explanation);
        if (job != nullptr && may_age != job->eligible_since.has_value()) {
            NIGHTSHIFT_TRY(store.set_eligible(explanation.job, may_age, now));
        }
    }
    // No gate is closed for them, but the driver has to be asked once more how much is free.
    for (const JobId id : held_back_) {
        const int version = find_candidate(snapshot, id)->version;
        NIGHTSHIFT_TRY(note_reasons(store, id, {version, {"vram_sample_pending"}}, now));
    }
    return {};
}

Status Dispatcher::note_reasons(db::Store& store, JobId id, Reasons reasons, UnixMs now) {
    const auto known = reasons_.find(id);
    if (known == reasons_.end() || known->second != reasons) {
        NIGHTSHIFT_TRY(store.set_wait_reasons(id, reasons.second, now));
    }
    reasons_next_.emplace(id, std::move(reasons));
    return {};
}

Status Dispatcher::log_plan(db::Store& store, const Snapshot& snapshot, UnixMs now) {
    db::PlanRecord record;
    record.plan_seq = plan_seq_;
    record.at = now;
    record.is_paused = snapshot.is_paused || snapshot.is_draining;
    record.starts = static_cast<int>(starts_.size());
    record.yields = static_cast<int>(yields_.size());
    record.cpu = snapshot.cpu_total;
    record.ram = snapshot.ram_total;
    if (!is_policy_logged_) record.policy_json = api::policy_to_json(policy_);
    auto devices = devices_of(snapshot);
    if (is_new(devices, logged_devices_)) record.devices = devices;
    const bool is_quiet = record.starts == 0 && record.yields == 0 && !record.policy_json &&
                          !record.devices && record.is_paused == is_pause_logged_;
    if (is_quiet) return {};
    NIGHTSHIFT_TRY(store.record_plan(record));
    NIGHTSHIFT_TRY(store.set_setting("plan_seq", std::to_string(plan_seq_)));
    is_policy_logged_ = true;
    is_pause_logged_ = record.is_paused;
    if (record.devices) logged_devices_ = std::move(devices);
    return {};
}

void Dispatcher::act() {
    reasons_ = std::move(reasons_next_);
    reasons_next_.clear();
    planned_ = std::move(planned_next_);
    if (!std::exchange(held_back_, {}).empty()) crew_.confirm_devices();
    std::vector<StartOrder> starts;
    std::vector<YieldOrder> yields;
    starts.swap(starts_);
    yields.swap(yields_);
    for (const YieldOrder& order : yields) {
        crash_point("yield.committed");
        if (const auto supervisor = crew_.find(order.attempt))
            supervisor->ask_to_yield(order.grace, order.reason);
    }
    for (StartOrder& order : starts) {
        crash_point("grant.committed");
        spdlog::info("job_starting job={} attempt={} device={} budget={}", order.job.id.value,
                     order.attempt.id.number, order.attempt.device, order.budget.value);
        crew_.start(std::move(order.job), std::move(order.attempt), order.budget);
    }
}

void Dispatcher::forget() {
    starts_.clear();
    yields_.clear();
    held_back_.clear();
    held_back_at_.reset();
    reasons_next_.clear();
    reasons_.clear();  // what is stored is asked again
    planned_version_.reset();
    planned_next_.reset();
    planned_.reset();
    is_policy_logged_ = false;
    logged_devices_.clear();
}

}  // namespace nightshift::daemon
