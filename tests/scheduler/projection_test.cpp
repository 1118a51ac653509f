#include "scheduler/projection.h"

#include <doctest/doctest.h>

#include "tests/support/night.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

struct Stage : Night {
    ProjectionInput input;
    Stage() {
        input.from = now;
        input.until = now + hours(24);
    }
    ProjectedJob& add(int id, JobClass job_class, Bytes vram, Millis work) {
        ProjectedJob job;
        job.job = wait(id, job_class, vram);
        job.job.spec.estimate = work;
        job.arrives_at = now;
        job.work = work;
        input.jobs.push_back(job);
        return input.jobs.back();
    }
    Projection project() {
        input.world = s;
        return nightshift::project(input, zones);
    }
};

}  // namespace

TEST_CASE("projection: jobs that fit together run together, the others one after another") {
    Stage stage;
    stage.add(1, JobClass::kTraining, gibibytes(10), minutes(30));
    stage.add(2, JobClass::kTraining, gibibytes(10), minutes(20));
    stage.add(3, JobClass::kTraining, gibibytes(20), minutes(10));
    const Projection projection = stage.project();
    REQUIRE(projection.runs.size() == 3);
    CHECK_FALSE(projection.is_cut_short);
    CHECK(projection.runs[0].first_start == stage.now);
    CHECK(projection.runs[1].first_start == stage.now);
    CHECK(projection.runs[0].end == stage.now + minutes(30));
    CHECK(projection.runs[1].end == stage.now + minutes(20));
    CHECK(projection.runs[2].first_start == stage.now + minutes(30));
    CHECK(projection.runs[2].end == stage.now + minutes(40));
    CHECK(projection.runs[2].on_device == minutes(10));
}

TEST_CASE("projection: an inference job makes training yield, and training goes on where it was") {
    Stage stage;
    stage.add(1, JobClass::kTraining, gibibytes(20), hours(2));
    stage.add(2, JobClass::kInference, gibibytes(10), minutes(10)).arrives_at = stage.now + minutes(60);
    const Projection projection = stage.project();
    CHECK(projection.runs[0].preemptions == 1);
    CHECK(projection.runs[1].first_start == stage.now + minutes(60) + kProjectedLeave);
    CHECK(projection.runs[1].end == stage.now + minutes(70) + kProjectedLeave);
    // Two hours of work, ten minutes away; the seconds of leaving were worked.
    REQUIRE(projection.runs[0].end.has_value());
    CHECK(*projection.runs[0].end >= stage.now + minutes(130));
    CHECK(*projection.runs[0].end <= stage.now + minutes(132));
    CHECK(projection.runs[0].on_device == hours(2));
}

TEST_CASE("projection: without a checkpoint the work starts over") {
    Stage stage;
    stage.add(1, JobClass::kTraining, gibibytes(20), hours(2)).job.spec.checkpoint = CheckpointMode::kNone;
    stage.add(2, JobClass::kInference, gibibytes(10), minutes(10)).arrives_at = stage.now + minutes(60);
    const Projection projection = stage.project();
    CHECK(projection.runs[0].preemptions == 1);
    CHECK(*projection.runs[0].end >= stage.now + minutes(190));
    CHECK(projection.runs[0].on_device == hours(3) + kProjectedLeave);
}

TEST_CASE("projection: dependencies, cancels and windows hold in it too") {
    Stage stage;
    stage.add_window("night", "daily 01:00-05:00");
    stage.add(1, JobClass::kTraining, gibibytes(4), minutes(30)).job.spec.window = "night";
    stage.add(2, JobClass::kTraining, gibibytes(4), minutes(30)).job.spec.after = {{JobId{1}}};
    ProjectedJob& failing = stage.add(3, JobClass::kTraining, gibibytes(4), minutes(5));
    failing.ends_well = false;
    stage.add(4, JobClass::kTraining, gibibytes(4), minutes(5)).job.spec.after = {{JobId{3}}};
    stage.add(5, JobClass::kTraining, gibibytes(4), hours(9)).cancelled_at = stage.now + minutes(1);
    const Projection projection = stage.project();
    CHECK(projection.runs[0].first_start == utc(2026, 11, 21, 1));
    CHECK(projection.runs[1].first_start == utc(2026, 11, 21, 1, 30));
    CHECK(projection.runs[2].end == stage.now + minutes(5));
    CHECK(projection.runs[3].is_dropped);
    CHECK_FALSE(projection.runs[3].first_start.has_value());
    CHECK(projection.runs[4].is_dropped);
    CHECK(projection.runs[4].on_device == minutes(1));
}

TEST_CASE("projection: foreign memory, a pause and a new policy come when they came") {
    Stage stage;
    stage.s.devices[0].foreign = gibibytes(20);
    stage.add(1, JobClass::kTraining, gibibytes(10), minutes(10));
    stage.add(2, JobClass::kTraining, gibibytes(1), minutes(1)).arrives_at = stage.now + minutes(45);
    WorldChange freed;
    freed.at = stage.now + minutes(20);
    freed.foreign = {{"GPU-a", Bytes{}}};
    WorldChange paused;
    paused.at = stage.now + minutes(40);
    paused.is_paused = true;
    WorldChange resumed;
    resumed.at = stage.now + minutes(50);
    resumed.is_paused = false;
    stage.input.changes = {freed, paused, resumed};
    const Projection projection = stage.project();
    CHECK(projection.runs[0].first_start == stage.now + minutes(20));
    CHECK(projection.runs[1].first_start == stage.now + minutes(50));
}

TEST_CASE("projection: what runs already goes on, and what never ends says nothing of its end") {
    Stage stage;
    LiveJob live = stage.run(1, JobClass::kTraining, gibibytes(20), minutes(30));
    stage.s.live.clear();
    ProjectedJob running;
    running.job = live.job;
    running.arrives_at = stage.now;
    running.work = minutes(15);
    running.live = live;
    stage.input.jobs.push_back(running);
    stage.add(2, JobClass::kTraining, gibibytes(20), hours(100));
    const Projection projection = stage.project();
    CHECK(projection.runs[0].end == stage.now + minutes(15));
    CHECK(projection.runs[1].first_start == stage.now + minutes(15));
    CHECK_FALSE(projection.runs[1].end.has_value());
    CHECK(projection.runs[1].on_device == hours(24) - minutes(15));
}
