#include "scheduler/replay.h"

#include <algorithm>
#include <cstdlib>

namespace nightshift {
namespace {

/// What starts at `at` is decided anew.
bool was_live_at(const PastAttempt& attempt, UnixMs at) {
    return attempt.started < at && (!attempt.ended || *attempt.ended > at);
}

Millis overlap(const PastAttempt& attempt, UnixMs from, UnixMs until) {
    const UnixMs begin = std::max(attempt.running.value_or(attempt.started), from);
    const UnixMs end = std::min(attempt.ended.value_or(until), until);
    return end > begin ? end - begin : Millis{};
}

bool keeps_work(const Job& job) {
    return job.spec.checkpoint != CheckpointMode::kNone;
}

/// Work that was left at `from`. A job that starts over after each preemption needs its last attempt
/// only; one that resumes needs them all.
Millis work_left(const PastJob& past, UnixMs from, UnixMs until) {
    Millis work;
    for (const PastAttempt& attempt : past.attempts) {
        if (!keeps_work(past.job) && attempt.is_preempted) continue;
        work = work + overlap(attempt, from, until);
    }
    return work;
}

bool is_open_ended(const PastJob& past, UnixMs until) {
    const bool is_cancelled = past.job.state == JobState::kCancelled;
    return is_cancelled || past.attempts.empty() || !past.job.ended_at || *past.job.ended_at > until;
}

ProjectedJob project_job(const PastJob& past, const Past& stretch) {
    ProjectedJob job;
    job.job = past.job;
    // It begins as it was then, not as it ended.
    job.job.attempt = 0;
    job.job.preemptions = 0;
    job.job.run_time = Millis{};
    job.job.eligible_since.reset();
    job.job.eligible_time = Millis{};
    job.job.retry_at.reset();
    job.job.started_at.reset();
    job.job.ended_at.reset();
    job.job.held = false;
    job.job.has_checkpoint = false;
    job.arrives_at = std::max(past.ready_at, stretch.from);
    job.work = work_left(past, stretch.from, stretch.until);
    // Nobody knows how long what never ended would have run: to the end of the stretch.
    if (is_open_ended(past, stretch.until)) job.work = job.work + (stretch.until - stretch.from);
    job.ends_well = past.job.state != JobState::kFailed;
    if (past.job.state == JobState::kCancelled) job.cancelled_at = past.job.ended_at;
    for (const PastAttempt& attempt : past.attempts) {
        if (attempt.started < stretch.from)
            job.job.run_time = job.job.run_time + overlap(attempt, UnixMs{}, stretch.from);
        if (!was_live_at(attempt, stretch.from)) continue;
        LiveJob live;
        live.job = job.job;
        live.job.state = JobState::kRunning;
        live.job.started_at = past.attempts.front().started;
        live.attempt.id = {past.job.id, 1};
        live.attempt.device = attempt.device;
        live.attempt.granted_at = attempt.started;
        live.attempt.running_at = attempt.running.value_or(attempt.started);
        live.lease.attempt = live.attempt.id;
        live.lease.device = past.job.spec.vram.value > 0 ? attempt.device : "";
        live.lease.budget = past.job.spec.vram;
        job.live = live;
    }
    job.job.has_checkpoint = keeps_work(past.job) && job.job.run_time.value > 0;
    return job;
}

ProjectedRun recorded_run(const PastJob& past, const Past& stretch) {
    ProjectedRun run;
    run.job = past.job.id;
    for (const PastAttempt& attempt : past.attempts) {
        if (attempt.started > stretch.until) continue;
        if (!run.first_start) run.first_start = attempt.started;
        if (attempt.is_preempted && attempt.ended && *attempt.ended >= stretch.from) ++run.preemptions;
        if (past.job.spec.vram.value > 0)
            run.on_device = run.on_device + overlap(attempt, stretch.from, stretch.until);
    }
    const bool has_run = past.job.state == JobState::kSucceeded || past.job.state == JobState::kFailed;
    if (has_run && past.job.ended_at && *past.job.ended_at <= stretch.until) run.end = past.job.ended_at;
    run.is_dropped = is_terminal(past.job.state) && !has_run;
    return run;
}

Story tell(const Past& past, std::vector<ProjectedRun> runs, bool is_cut_short) {
    Story story;
    story.is_cut_short = is_cut_short;
    std::array<std::vector<Millis>, kJobClasses.size()> waits;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const auto job_class = static_cast<std::size_t>(past.jobs[i].job.spec.job_class);
        ClassFigures& figures = story.classes[job_class];
        figures.preemptions += runs[i].preemptions;
        figures.on_device = figures.on_device + runs[i].on_device;
        if (runs[i].end) ++figures.ended;
        if (past.jobs[i].ready_at < past.from) continue;  // its waiting began before the stretch
        ++figures.jobs;
        if (!runs[i].first_start) continue;
        ++figures.started;
        waits[job_class].push_back(std::max(*runs[i].first_start - past.jobs[i].ready_at, Millis{}));
    }
    for (std::size_t c = 0; c < waits.size(); ++c) {
        auto& wait = waits[c];
        if (wait.empty()) continue;
        std::sort(wait.begin(), wait.end());
        Millis sum;
        for (const Millis one : wait) sum = sum + one;
        const auto count = static_cast<std::int64_t>(wait.size());
        story.classes[c].wait_mean = Millis{sum.value / count};
        story.classes[c].wait_p90 = wait[static_cast<std::size_t>((count * 9 + 9) / 10 - 1)];
        story.classes[c].wait_max = wait.back();
    }
    story.runs = std::move(runs);
    return story;
}

Story live_through(const Past& past, const ReplayChange& change, const TimeZones& zones) {
    ProjectionInput input;
    input.world = past.world;
    input.from = past.from;
    input.until = past.until;
    input.changes = past.changes;
    input.is_unwanted = past.is_unwanted;
    if (change.policy) {
        input.world.policy = *change.policy;
        for (WorldChange& old : input.changes) old.policy.reset();
    }
    if (!change.devices.empty()) {
        input.world.devices.clear();
        for (const Device& device : change.devices) {
            DeviceState state;
            state.device = device;
            input.world.devices.push_back(std::move(state));
        }
    }
    for (const PastJob& job : past.jobs) {
        input.jobs.push_back(project_job(job, past));
        ProjectedJob& projected = input.jobs.back();
        if (change.devices.empty()) continue;
        // Another card: a wish for the old one is gone, and what ran begins again on the new one.
        projected.job.spec.gpu.clear();
        if (!projected.live) continue;
        projected.live->lease.device = projected.job.spec.vram.value > 0 ? change.devices.front().uuid : "";
        projected.live->attempt.device = projected.live->lease.device;
    }
    Projection projection = project(input, zones);
    return tell(past, std::move(projection.runs), projection.is_cut_short);
}

double agreement_of(const Story& recorded, const Story& same) {
    int met = 0;
    int known = 0;
    for (std::size_t i = 0; i < recorded.runs.size(); ++i) {
        const auto& was = recorded.runs[i].first_start;
        if (!was) continue;
        ++known;
        const auto& is = same.runs[i].first_start;
        if (is && std::abs(is->value - was->value) <= kReplayTolerance.value) ++met;
    }
    return known == 0 ? 1.0 : static_cast<double>(met) / known;
}

}  // namespace

Replay replay(const Past& past, const ReplayChange& change, const TimeZones& zones) {
    Replay result;
    std::vector<ProjectedRun> recorded;
    for (const PastJob& job : past.jobs) recorded.push_back(recorded_run(job, past));
    result.recorded = tell(past, std::move(recorded), false);
    result.same = live_through(past, {}, zones);
    const bool is_changed = change.policy || !change.devices.empty();
    result.changed = is_changed ? live_through(past, change, zones) : result.same;
    result.agreement = agreement_of(result.recorded, result.same);
    return result;
}

}  // namespace nightshift
