#include "scheduler/replay.h"

#include <doctest/doctest.h>

#include "tests/support/night.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

struct Yesterday : Night {
    Past past;
    Yesterday() {
        past.from = now;
        past.until = now + hours(12);
    }
    PastJob& add(int id, JobClass job_class, Bytes vram, Millis ready_after) {
        PastJob job;
        job.job = wait(id, job_class, vram);
        job.job.state = JobState::kSucceeded;
        job.ready_at = now + ready_after;
        past.jobs.push_back(job);
        return past.jobs.back();
    }
    void ran(PastJob& job, Millis from, Millis to, bool is_preempted = false) {
        job.attempts.push_back({now + from, now + from, now + to, is_preempted, "GPU-a"});
        job.job.ended_at = now + to;
    }
    Replay replay(const ReplayChange& change = {}) {
        past.world = s;
        return nightshift::replay(past, change, zones);
    }
};

const ClassFigures& of(const Story& story, JobClass job_class) {
    return story.classes[static_cast<std::size_t>(job_class)];
}

}  // namespace

TEST_CASE("replay: the same rules tell the same story") {
    Yesterday night;
    PastJob& first = night.add(1, JobClass::kTraining, gibibytes(20), minutes(0));
    night.ran(first, minutes(0), minutes(60));
    PastJob& second = night.add(2, JobClass::kTraining, gibibytes(20), minutes(5));
    night.ran(second, minutes(60), minutes(90));
    const Replay replay = night.replay();
    CHECK(replay.agreement == 1.0);
    CHECK(of(replay.recorded, JobClass::kTraining).wait_max == minutes(55));
    CHECK(of(replay.same, JobClass::kTraining).wait_max == minutes(55));
    CHECK(of(replay.same, JobClass::kTraining).on_device == minutes(90));
    CHECK(of(replay.recorded, JobClass::kTraining).on_device == minutes(90));
    CHECK(of(replay.changed, JobClass::kTraining).wait_max == minutes(55));
}

TEST_CASE("replay: a larger card spares the wait") {
    Yesterday night;
    night.ran(night.add(1, JobClass::kTraining, gibibytes(20), minutes(0)), minutes(0), minutes(60));
    night.ran(night.add(2, JobClass::kTraining, gibibytes(20), minutes(5)), minutes(60), minutes(90));
    ReplayChange change;
    Device card = night.s.devices[0].device;
    card.uuid = "GPU-new";
    card.total = gibibytes(48);
    change.devices = {card};
    const Replay replay = night.replay(change);
    CHECK(of(replay.changed, JobClass::kTraining).wait_max == Millis{});
    CHECK(of(replay.changed, JobClass::kTraining).ended == 2);
    CHECK(of(replay.recorded, JobClass::kTraining).wait_max == minutes(55));
}

TEST_CASE("replay: another policy moves training into its window") {
    Yesterday night;
    night.ran(night.add(1, JobClass::kTraining, gibibytes(20), minutes(0)), minutes(0), minutes(60));
    ReplayChange change;
    Night other;
    other.add_window("late", "daily 02:00-06:00");
    change.policy = other.s.policy;
    change.policy->of(JobClass::kTraining).window = "late";
    const Replay replay = night.replay(change);
    CHECK(of(replay.same, JobClass::kTraining).wait_max == Millis{});
    CHECK(replay.changed.runs[0].first_start == utc(2026, 11, 21, 2));
    CHECK(format_duration(of(replay.changed, JobClass::kTraining).wait_max) == "3 h 00 min");
}

TEST_CASE("replay: what was preempted needs all its attempts, what starts over its last one") {
    Yesterday night;
    PastJob& resumes = night.add(1, JobClass::kTraining, gibibytes(20), minutes(0));
    night.ran(resumes, minutes(0), minutes(30), true);
    night.ran(resumes, minutes(40), minutes(60));
    night.past.jobs.back().job.preemptions = 1;
    PastJob& inference = night.add(2, JobClass::kInference, gibibytes(20), minutes(30));
    night.ran(inference, minutes(30), minutes(40));
    const Replay replay = night.replay();
    CHECK(of(replay.recorded, JobClass::kTraining).preemptions == 1);
    CHECK(of(replay.same, JobClass::kTraining).preemptions == 1);
    const auto& run = replay.same.runs[0];
    REQUIRE(run.end.has_value());
    CHECK(*run.end >= night.now + minutes(60));
    CHECK(*run.end <= night.now + minutes(61));

    night.past.jobs[0].job.spec.checkpoint = CheckpointMode::kNone;
    const auto again = night.replay().same.runs[0];
    REQUIRE(again.end.has_value());
    // Twenty minutes of work: done before the inference job comes.
    CHECK(*again.end == night.now + minutes(20));
}

TEST_CASE("replay: jobs that were open at the beginning are part of the story") {
    Yesterday night;
    PastJob& running = night.add(1, JobClass::kTraining, gibibytes(20), minutes(-90));
    night.ran(running, minutes(-60), minutes(30));
    PastJob& waiting = night.add(2, JobClass::kTraining, gibibytes(20), minutes(-30));
    night.ran(waiting, minutes(30), minutes(50));
    const Replay replay = night.replay();
    CHECK(replay.agreement == 1.0);
    CHECK(replay.same.runs[0].end == night.now + minutes(30));
    CHECK(replay.same.runs[1].first_start == night.now + minutes(30));
    // Their waiting began before the stretch, so they do not count in its waits.
    CHECK(of(replay.same, JobClass::kTraining).jobs == 0);
}

TEST_CASE("replay: cancelled and unfinished jobs take what they took") {
    Yesterday night;
    PastJob& cancelled = night.add(1, JobClass::kTraining, gibibytes(20), minutes(0));
    night.ran(cancelled, minutes(0), minutes(10));
    cancelled.job.state = JobState::kCancelled;
    PastJob& endless = night.add(2, JobClass::kTraining, gibibytes(20), minutes(0));
    endless.job.state = JobState::kRunning;
    endless.attempts.push_back(
        {night.now + minutes(10), night.now + minutes(10), std::nullopt, false, "GPU-a"});
    const Replay replay = night.replay();
    CHECK(replay.same.runs[0].is_dropped);
    CHECK(replay.same.runs[1].first_start == night.now + minutes(10));
    CHECK_FALSE(replay.same.runs[1].end.has_value());
    CHECK(replay.agreement == 1.0);
}
