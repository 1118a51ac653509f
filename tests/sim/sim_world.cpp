#include "tests/sim/sim_world.h"

#include <algorithm>
#include <stdexcept>

#include "scheduler/gates.h"

namespace nightshift::tests {
namespace {

constexpr Millis kKillAfterStopping = seconds(10);

Bytes half_gibibytes(int n) {
    return Bytes{mebibytes(512).value * n};
}

}  // namespace

SimWorld::SimWorld(std::uint64_t seed) : seed_(seed), dice_(seed) {
    // Any evening of two years, nights with a change of clocks more often than chance would have it.
    const UnixMs special[] = {utc(2026, 3, 28, 20), utc(2026, 10, 24, 20), utc(2027, 3, 27, 20),
                              utc(2026, 12, 31, 20)};
    now_ = dice_.one_in(4) ? special[dice_.between(0, 3)]
                           : utc(2026, 1, 1, 20) + hours(24 * dice_.between(0, 600));
    next_arrival_ = now_;
    next_foreign_ = now_ + minutes(dice_.between(1, 60));
    describe_machine();
    describe_policy();
    schedule_.name = "hourly";
    schedule_.cron = parse_cron(dice_.one_in(2) ? "30 * * * *" : "*/20 0-4 * * *").value();
    schedule_.timezone = "Europe/Berlin";
    schedule_.missed = static_cast<MissedPolicy>(dice_.between(0, 2));
    schedule_.overlap = static_cast<OverlapPolicy>(dice_.between(0, 1));
    schedule_.next_fire_at = next_fire(schedule_.cron, schedule_.timezone, zones_, now_)->at;
}

void SimWorld::describe_machine() {
    DeviceState gpu;
    gpu.device.uuid = "GPU-a";
    gpu.device.total = half_gibibytes(dice_.between(16, 48));
    devices_.push_back(gpu);
    if (dice_.one_in(4)) {
        gpu.device.uuid = "GPU-b";
        gpu.device.index = 1;
        devices_.push_back(gpu);
    }
    cpu_total_ = dice_.between(2, 12);
}

void SimWorld::describe_policy() {
    const auto window = [](const char* name, const char* rule) {
        Window w;
        w.name = name;
        w.timezone = "Europe/Berlin";
        w.rules.push_back(parse_window_rule(rule).value());
        return w;
    };
    policy_.windows = {window("night", "daily 22:00-06:00"), window("office", "daily 08:00-19:00")};
    if (dice_.one_in(2)) policy_.of(JobClass::kTraining).window = "night";
    if (dice_.one_in(2)) {
        policy_.of(JobClass::kInference).headroom = {{"office", half_gibibytes(dice_.between(0, 6))},
                                                     {"", half_gibibytes(dice_.between(0, 3))}};
    }
    if (dice_.one_in(3)) policy_.of(JobClass::kSynthesis).only_when_idle = {JobClass::kTraining};
    policy_.limits.running = dice_.between(2, 8);
    policy_.preemption.max_per_day = dice_.one_in(2) ? 4 : 100;
}

Job& SimWorld::add_job(JobSpec spec) {
    Job job;
    job.id = JobId{next_id_++};
    job.order_key = job.id.value;
    job.created_at = now_;
    job.retries_left = spec.retries;
    job.held = spec.hold;
    for (const Dependency& dependency : spec.after) {
        if (!is_terminal(jobs_.at(dependency.on).state)) ++job.dependencies_open;
    }
    job.spec = std::move(spec);
    const int work_s =
        job.spec.job_class == JobClass::kInference ? dice_.between(2, 240) : dice_.between(5, 10'000);
    work_[job.id] = seconds(work_s);
    // Estimates are wrong by up to half, either way, or missing.
    if (!dice_.one_in(3)) job.spec.estimate = Millis{work_s * 1000LL * dice_.between(50, 150) / 100};
    return jobs_.emplace(job.id, std::move(job)).first->second;
}

void SimWorld::submit(UnixMs now) {
    JobSpec spec;
    spec.kind = "burn";
    const int roll = dice_.between(0, 9);
    spec.job_class = roll < 3   ? JobClass::kInference
                     : roll < 6 ? JobClass::kTraining
                     : roll < 8 ? JobClass::kEvaluation
                                : JobClass::kSynthesis;
    const int most =
        static_cast<int>((devices_[0].device.total.value - policy_.safety.value) / mebibytes(512).value);
    const bool is_inference = spec.job_class == JobClass::kInference;
    spec.vram = dice_.one_in(8) ? Bytes{} : half_gibibytes(dice_.between(1, is_inference ? most / 2 : most));
    spec.cpu = dice_.between(0, 2);
    spec.priority = dice_.one_in(4) ? dice_.between(-10, 10) : 0;
    spec.retries = dice_.between(0, 3);
    spec.preemptible = !is_inference && !dice_.one_in(4);
    spec.checkpoint = dice_.one_in(4) ? CheckpointMode::kNone : CheckpointMode::kWorker;
    if (dice_.one_in(6)) spec.time_limit = seconds(dice_.between(60, 8000));
    if (dice_.one_in(10)) spec.not_before = now + minutes(dice_.between(1, 90));
    if (dice_.one_in(15)) spec.start_deadline = now + minutes(dice_.between(1, 120));
    if (dice_.one_in(12) && next_id_ > 3)
        spec.after = {{JobId{dice_.between(1, static_cast<int>(next_id_) - 1)}}};
    add_job(std::move(spec));
}

void SimWorld::change_state(Job& job, JobState to) {
    if (!may_change(job.state, to)) {
        fail("job " + std::to_string(job.id.value) + " may not go from " + std::string(to_string(job.state)) +
             " to " + std::string(to_string(to)));
    }
    job.state = to;
    ++job.version;
    if (is_terminal(to)) settle_dependents(job);
}

void SimWorld::settle_dependents(const Job& parent) {
    for (auto& [id, job] : jobs_) {
        if (job.state != JobState::kWaiting) continue;
        for (const Dependency& dependency : job.spec.after) {
            if (dependency.on != parent.id) continue;
            const bool is_success = parent.state == JobState::kSucceeded;
            const bool holds = dependency.kind == DependencyKind::kAny ||
                               is_success == (dependency.kind == DependencyKind::kSuccess);
            if (holds)
                --job.dependencies_open;
            else
                return change_state(job, JobState::kSkipped), settle_dependents(parent);
        }
    }
}

void SimWorld::arrivals() {
    while (next_arrival_ <= now_ && next_arrival_ < arrivals_until_) {
        submit(next_arrival_);
        next_arrival_ = next_arrival_ + seconds(dice_.between(5, 1500));
    }
}

void SimWorld::schedule_fires() {
    if (now_ >= arrivals_until_) return;
    int open = 0;
    for (const auto& [id, job] : jobs_) open += job.schedule == schedule_.name && !is_terminal(job.state);
    for (const FireDecision& decision : due_fires(schedule_, zones_, now_, open)) {
        if (!fired_.insert(decision.nominal).second)
            fail("a nominal time came twice: " + utc_text(decision.nominal));
        if (!decision.run && decision.reason.empty()) fail("a fire was skipped without a reason");
        if (!decision.run) continue;
        JobSpec spec;
        spec.kind = "sleep";
        spec.job_class = JobClass::kSynthesis;
        spec.vram = half_gibibytes(1);
        add_job(std::move(spec)).schedule = schedule_.name;
    }
    if (schedule_.next_fire_at && *schedule_.next_fire_at <= now_) {
        schedule_.next_fire_at = next_fire(schedule_.cron, schedule_.timezone, zones_, now_)->at;
    }
}

void SimWorld::process_events() {
    std::vector<JobId> ended;
    for (auto& [id, running] : live_) {
        Job& job = jobs_.at(id);
        if (job.state == JobState::kStarting && running.process.up_at <= now_) {
            change_state(job, JobState::kRunning);
            running.attempt.running_at = now_;
        }
        if (running.process.end_at <= now_) ended.push_back(id);
    }
    for (const JobId id : ended) end_attempt(id);
}

void SimWorld::end_attempt(JobId id) {
    Running running = live_.at(id);
    live_.erase(id);
    Job& job = jobs_.at(id);
    AttemptReport report = running.process.report;
    const UnixMs began = running.attempt.running_at.value_or(now_);
    report.run_time = now_ - began;
    const Transition t = on_attempt_end(job, running.attempt, report, now_);
    if (t.charges_retry && --job.retries_left < 0) fail("more retries than allowed");
    if (t.counts_preemption) ++job.preemptions;
    if (t.end == AttemptEnd::kPreempted && job.spec.checkpoint != CheckpointMode::kNone)
        job.has_checkpoint = true;
    job.run_time = job.run_time + report.run_time;
    job.retry_at = t.retry_at;
    job.eligible_since.reset();
    job.outcome = t.outcome;
    if (running.attempt.stop_reason == "cancelled" && t.state != JobState::kCancelled)
        fail("a cancel did not win");
    change_state(job, t.state);
    running.lease.is_reclaiming = true;
    reclaiming_.push_back({running.lease, now_ + Millis{dice_.between(0, 5000)}});
}

void SimWorld::watch_deadlines() {
    for (auto& [id, running] : live_) {
        Job& job = jobs_.at(id);
        const auto limit = job.spec.time_limit;
        const UnixMs began = running.attempt.running_at.value_or(now_);
        if (job.state == JobState::kRunning && limit && job.run_time + (now_ - began) >= *limit) {
            change_state(job, JobState::kStopping);
            running.attempt.stop_reason = "time_limit";
            running.attempt.deadline = now_ + kKillAfterStopping;
            running.process.kill(dice_, now_);
        } else if (job.state == JobState::kYielding && running.attempt.deadline <= now_) {
            change_state(job, JobState::kStopping);
            running.attempt.deadline = now_ + kKillAfterStopping;
            running.process.kill(dice_, now_);
        }
    }
}

void SimWorld::release_memory() {
    std::erase_if(reclaiming_, [this](const Reclaim& reclaim) { return reclaim.free_at <= now_; });
}

void SimWorld::change_foreign() {
    if (next_foreign_ > now_) return;
    next_foreign_ = now_ + minutes(dice_.between(5, 120));
    devices_[0].foreign =
        now_ < arrivals_until_ && dice_.one_in(2) ? half_gibibytes(dice_.between(0, 6)) : Bytes{};
}

void SimWorld::maybe_cancel() {
    if (!dice_.one_in(60) || jobs_.empty()) return;
    auto at = jobs_.find(JobId{dice_.between(1, static_cast<int>(next_id_) - 1)});
    if (at == jobs_.end() || is_terminal(at->second.state) || at->second.state == JobState::kStopping) return;
    if (at->second.state == JobState::kWaiting) return change_state(at->second, JobState::kCancelled);
    Running& running = live_.at(at->first);
    change_state(at->second, JobState::kStopping);
    running.attempt.stop_reason = "cancelled";
    running.attempt.deadline = now_ + kKillAfterStopping;
    running.process.kill(dice_, now_);
}

Snapshot SimWorld::snapshot() const {
    Snapshot s;
    s.policy = policy_;
    s.devices = devices_;
    s.cpu_total = cpu_total_;
    s.last_preemption_at = last_preemption_at_;
    for (const auto& [id, running] : live_) {
        LiveJob live;
        live.job = jobs_.at(id);
        live.attempt = running.attempt;
        live.lease = running.lease;
        const auto preempted = preempted_at_.find(id);
        if (preempted != preempted_at_.end()) live.preempted_at = preempted->second;
        s.live.push_back(std::move(live));
    }
    for (const Reclaim& reclaim : reclaiming_) s.reclaiming.push_back(reclaim.lease);
    for (const auto& [id, job] : jobs_) {
        if (job.state != JobState::kWaiting) continue;
        const auto job_class = static_cast<std::size_t>(job.spec.job_class);
        ++s.waiting_count[job_class];
        const auto offer = [&s, this](std::optional<UnixMs> at) {
            if (at && *at > now_ && (!s.next_timer_hint || *at < *s.next_timer_hint)) s.next_timer_hint = at;
        };
        offer(job.spec.not_before);
        offer(job.retry_at);
        offer(job.spec.start_deadline);
        const bool is_timed =
            (job.spec.not_before && *job.spec.not_before > now_) || (job.retry_at && *job.retry_at > now_);
        if (!job.held && job.dependencies_open == 0 && !is_timed) s.candidates[job_class].push_back(job);
    }
    return s;
}

void SimWorld::start(const Start& start) {
    Job& job = jobs_.at(start.job);
    change_state(job, JobState::kStarting);
    if (live_.contains(start.job)) fail("two live attempts of one job");
    Running running;
    running.attempt.id = {start.job, ++job.attempt};
    running.attempt.device = start.device;
    running.attempt.granted_at = now_;
    running.lease.attempt = running.attempt.id;
    running.lease.device = start.device;
    running.lease.budget = start.budget;
    const Millis done = job.has_checkpoint ? job.run_time : Millis{};
    const Millis left{std::max<std::int64_t>(work_.at(start.job).value - done.value, 1000)};
    running.process = FakeProcess::launch(dice_, job, running.attempt.id, now_, left);
    // Nothing hangs any more when the night is over.
    const bool is_over = now_ >= arrivals_until_ && !running.process.report.is_spawn_error;
    if (is_over) running.process.end_at = std::min(running.process.end_at, running.process.up_at + left);
    live_.emplace(start.job, std::move(running));
    ++attempts_;
}

void SimWorld::yield(const Yield& yield) {
    Job& job = jobs_.at(yield.job);
    Running& running = live_.at(yield.job);
    change_state(job, JobState::kYielding);
    running.attempt.beneficiary = yield.beneficiary;
    running.attempt.stop_reason = yield.reason;
    running.attempt.deadline = yield.deadline;
    running.process.ask_to_leave(dice_, job, now_);
    if (yield.reason != "preempted") return;
    ++preemptions_;
    last_preemption_at_ = now_;
    preempted_at_[yield.job].push_back(now_);
}

void SimWorld::apply(const Plan& plan, const Snapshot& seen) {
    check(plan, seen);
    for (const JobId id : plan.expired) change_state(jobs_.at(id), JobState::kExpired);
    for (const Start& s : plan.starts) start(s);
    for (const Yield& y : plan.yields) yield(y);
    for (const Explanation& waiting : plan.waiting) {
        Job& job = jobs_.at(waiting.job);
        if (!is_eligible(waiting))
            job.eligible_since.reset();
        else if (!job.eligible_since)
            job.eligible_since = now_;
    }
}

UnixMs SimWorld::next_event(const Plan& plan) const {
    UnixMs next = now_ + hours(6);
    const auto offer = [&next, this](std::optional<UnixMs> at) {
        if (at && *at > now_) next = std::min(next, *at);
    };
    offer(plan.next_wakeup);
    if (next_arrival_ < arrivals_until_) offer(next_arrival_);
    if (now_ < arrivals_until_) offer(schedule_.next_fire_at);
    offer(next_foreign_);
    for (const Reclaim& reclaim : reclaiming_) offer(reclaim.free_at);
    for (const auto& [id, running] : live_) {
        const Job& job = jobs_.at(id);
        if (job.state == JobState::kStarting) offer(running.process.up_at);
        offer(running.process.end_at);
        if (job.state == JobState::kYielding) offer(running.attempt.deadline);
        if (job.state == JobState::kRunning && job.spec.time_limit) {
            offer(*running.attempt.running_at + (*job.spec.time_limit - job.run_time));
        }
    }
    return next;
}

void SimWorld::tick() {
    arrivals();
    schedule_fires();
    process_events();
    watch_deadlines();
    release_memory();
    change_foreign();
    maybe_cancel();
    now_ = next_event(settle());
}

void SimWorld::run_night(int hours_ahead) {
    const UnixMs end = now_ + hours(hours_ahead);
    arrivals_until_ = end;
    for (int ticks = 0; now_ < end; ++ticks) {
        if (ticks > 200'000) fail("the night does not come to its end");
        tick();
    }
}

void SimWorld::drain(int days) {
    arrivals_until_ = now_;
    policy_.of(JobClass::kTraining).window.clear();
    policy_.of(JobClass::kInference).headroom.clear();
    for (auto& [id, running] : live_) {
        if (running.process.end_at - now_ > hours(24)) running.process.kill(dice_, now_);
    }
    const UnixMs end = now_ + hours(24 * days);
    const auto is_open = [](const auto& entry) { return !is_terminal(entry.second.state); };
    while (now_ < end && std::any_of(jobs_.begin(), jobs_.end(), is_open)) tick();
    std::string left;
    for (const auto& [id, job] : jobs_) {
        if (is_terminal(job.state)) continue;
        left += "\n" + std::to_string(id.value) + " " + std::string(to_string(job.state));
        for (const Gate& gate : explain(snapshot(), job, zones_, now_, false).gates) left += "; " + gate.text;
    }
    if (!left.empty()) fail("jobs never came to their end:" + left);
}

void SimWorld::fail(const std::string& what) const {
    throw std::runtime_error("seed " + std::to_string(seed_) + " at " + utc_text(now_) + ": " + what);
}

}  // namespace nightshift::tests
