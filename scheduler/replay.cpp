#include "scheduler/replay.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

#include "scheduler/defect.h"
#include "scheduler/transition.h"

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

/// Work that was left at `from`, for each life of the job: a life ends when the job ends by itself and is
/// tried again. A job that starts over after each preemption needs the last attempt of a life only; one that
/// resumes needs them all.
std::vector<Millis> work_left(const PastJob& past, UnixMs from, UnixMs until) {
    std::vector<Millis> lives(1);
    for (const PastAttempt& attempt : past.attempts) {
        if (attempt.ended && *attempt.ended <= from) continue;
        if (keeps_work(past.job) || !attempt.is_preempted)
            lives.back() = lives.back() + overlap(attempt, from, until);
        if (attempt.is_retried) lives.emplace_back();
    }
    return lives;
}

std::vector<AttemptFacts> facts_of(const PastJob& past, UnixMs until) {
    const UnixMs later = until + Millis{1};
    std::vector<AttemptFacts> all;
    for (const PastAttempt& attempt : past.attempts) {
        AttemptFacts facts;
        facts.granted = attempt.started;
        facts.asked = attempt.asked;
        facts.launch = attempt.running.value_or(attempt.ended.value_or(later)) - attempt.started;
        facts.sent_away = attempt.sent_away;
        if (attempt.released && attempt.ended) facts.release = *attempt.released - *attempt.ended;
        const auto request = attempt.asked ? attempt.asked : attempt.sent_away;
        // What had not happened by the end of the stretch happens after it.
        if (request) facts.leave = attempt.ended.value_or(later) - *request;
        all.push_back(facts);
    }
    return all;
}

bool is_open_ended(const PastJob& past, UnixMs until) {
    const bool is_cancelled = past.job.state == JobState::kCancelled;
    return is_cancelled || past.attempts.empty() || !past.job.ended_at || *past.job.ended_at > until;
}

ProjectedJob project_job(const PastJob& past, const Past& stretch) {
    ProjectedJob job;
    job.job = past.job;
    // It begins as it was then, not as it ended.
    job.job.attempt = static_cast<int>(
        std::count_if(past.attempts.begin(), past.attempts.end(),
                      [&stretch](const PastAttempt& attempt) { return attempt.started < stretch.from; }));
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
    job.attempts = facts_of(past, stretch.until);
    const auto lives = work_left(past, stretch.from, stretch.until);
    job.work = lives.front();
    for (std::size_t life = 1; life < lives.size(); ++life)
        job.retries.push_back({retry_delay(static_cast<int>(life)), lives[life]});
    // Nobody knows how long what never ended would have run: to the end of the stretch.
    if (is_open_ended(past, stretch.until)) {
        Millis& last = job.retries.empty() ? job.work : job.retries.back().work;
        last = last + (stretch.until - stretch.from);
    }
    job.ends_well = past.job.state != JobState::kFailed;
    if (past.job.state == JobState::kCancelled) job.cancelled_at = past.job.ended_at;
    for (const PastAttempt& attempt : past.attempts) {
        if (attempt.started < stretch.from)
            job.job.run_time = job.job.run_time + overlap(attempt, UnixMs{}, stretch.from);
        if (!was_live_at(attempt, stretch.from)) continue;
        LiveJob live;
        live.job = job.job;
        live.job.state =
            attempt.running && *attempt.running <= stretch.from ? JobState::kRunning : JobState::kStarting;
        live.job.started_at = past.attempts.front().started;
        live.attempt.id = {past.job.id, job.job.attempt};
        live.attempt.device = attempt.device;
        live.attempt.granted_at = attempt.started;
        live.attempt.running_at = attempt.running;
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

/// By job and attempt: what `same` found out about how long each act took, and what was given up.
struct Reactions {
    using Key = std::tuple<JobId, int, bool>;
    std::map<Key, Millis> took;
    std::multimap<std::pair<JobId, int>, std::pair<UnixMs, Millis>> undone;
};

Reactions reactions_of(const Story& story) {
    Reactions reactions;
    for (const Decision& decision : story.decisions)
        reactions.took[{decision.job, decision.attempt, decision.is_start}] = decision.reaction;
    for (const Decision& decision : story.undone)
        reactions.undone.insert(
            {{decision.job, decision.attempt}, {decision.at - decision.reaction, decision.reaction}});
    return reactions;
}

/// The instants of the record mean nothing where other things happen, but its reactions do.
void use_reactions(ProjectedJob& job, const Reactions& reactions) {
    const auto of = [&](int number, bool is_start) {
        const auto found = reactions.took.find({job.job.id, number, is_start});
        return found == reactions.took.end() ? Millis{} : found->second;
    };
    for (std::size_t i = 0; i < job.attempts.size(); ++i) {
        const int number = static_cast<int>(i) + 1;
        job.attempts[i].start_reaction = of(number, true);
        job.attempts[i].ask_reaction = of(number, false);
    }
    // A start may have been due and given up for an attempt that the record does not know.
    const auto own = reactions.undone.lower_bound({job.job.id, 0});
    for (auto at = own; at != reactions.undone.end() && at->first.first == job.job.id; ++at) {
        const auto index = static_cast<std::size_t>(std::max(at->first.second - 1, 0));
        if (index >= job.attempts.size()) job.attempts.resize(index + 1);
        job.attempts[index].undone.push_back(at->second);
    }
}

/// What the planner knew then of earlier preemptions and device time, as far as these jobs tell.
void remember_the_day_before(const Past& past, Snapshot& world) {
    world.last_preemption_at = NIGHTSHIFT_RULE(50, std::optional<UnixMs>(), world.last_preemption_at);
    world.gpu_time = {};
    for (const PastJob& job : past.jobs) {
        Millis& held = world.gpu_time[static_cast<std::size_t>(job.job.spec.job_class)];
        for (const PastAttempt& attempt : job.attempts) {
            const auto asked = attempt.is_preempted ? attempt.asked : std::nullopt;
            if (asked && *asked < past.from)
                world.last_preemption_at = std::max(world.last_preemption_at.value_or(*asked), *asked);
            const bool is_over = attempt.ended && *attempt.ended <= past.from;
            if (!is_over || job.job.spec.vram.value <= 0) continue;
            const UnixMs begin = std::max(attempt.started, past.from - hours(24));
            if (*attempt.ended > begin) held = held + (*attempt.ended - begin);
        }
    }
}

/// `reactions`: of `same`, for a change; nothing: the record's own instants.
Story live_through(const Past& past, const ReplayChange& change, const Reactions* reactions,
                   const TimeZones& zones) {
    ProjectionInput input;
    input.world = past.world;
    remember_the_day_before(past, input.world);
    input.from = past.from;
    input.until = past.until;
    input.changes = past.changes;
    input.is_unwanted = past.is_unwanted;
    input.is_recorded = reactions == nullptr;
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
        if (reactions != nullptr) use_reactions(projected, *reactions);
        if (change.devices.empty()) continue;
        // Another card: a wish for the old one is gone, and what ran begins again on the new one.
        projected.job.spec.gpu.clear();
        if (!projected.live) continue;
        projected.live->lease.device = projected.job.spec.vram.value > 0 ? change.devices.front().uuid : "";
        projected.live->attempt.device = projected.live->lease.device;
    }
    Projection projection = project(input, zones);
    Story story = tell(past, std::move(projection.runs), projection.is_cut_short);
    story.decisions = std::move(projection.decisions);
    story.undone = std::move(projection.undone);
    return story;
}

auto key_of(const Decision& decision) {
    return std::make_tuple(decision.at, decision.job, decision.attempt, decision.is_start);
}

bool is_earlier(const Decision& a, const Decision& b) {
    return key_of(a) < key_of(b);
}

std::vector<Decision> recorded_decisions(const Past& past) {
    std::vector<Decision> decisions;
    const auto is_inside = [&past](UnixMs at) { return at >= past.from && at <= past.until; };
    for (const PastJob& job : past.jobs) {
        int number = 0;
        for (const PastAttempt& attempt : job.attempts) {
            ++number;
            if (is_inside(attempt.started)) decisions.push_back({attempt.started, job.job.id, number, true});
            if (attempt.asked && is_inside(*attempt.asked))
                decisions.push_back({*attempt.asked, job.job.id, number, false});
        }
    }
    std::sort(decisions.begin(), decisions.end(), is_earlier);
    return decisions;
}

void compare(Replay& replay) {
    const auto& was = replay.recorded.decisions;
    auto is = replay.same.decisions;
    std::sort(is.begin(), is.end(), is_earlier);
    std::set_difference(was.begin(), was.end(), is.begin(), is.end(), std::back_inserter(replay.missed),
                        is_earlier);
    std::set_difference(is.begin(), is.end(), was.begin(), was.end(), std::back_inserter(replay.added),
                        is_earlier);
    const auto met = was.size() - replay.missed.size();
    const auto all = was.size() + replay.added.size();
    replay.agreement = all == 0 ? 1.0 : static_cast<double>(met) / static_cast<double>(all);
}

}  // namespace

Replay replay(const Past& past, const ReplayChange& change, const TimeZones& zones) {
    Replay result;
    std::vector<ProjectedRun> recorded;
    for (const PastJob& job : past.jobs) recorded.push_back(recorded_run(job, past));
    result.recorded = tell(past, std::move(recorded), false);
    result.recorded.decisions = recorded_decisions(past);
    result.same = live_through(past, {}, nullptr, zones);
    const Reactions reactions = reactions_of(result.same);
    const bool is_changed = change.policy || !change.devices.empty();
    result.changed = is_changed ? live_through(past, change, &reactions, zones) : result.same;
    compare(result);
    return result;
}

}  // namespace nightshift
