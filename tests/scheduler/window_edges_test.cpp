#include "scheduler/window_edges.h"

#include <doctest/doctest.h>

#include "tests/support/night.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

Night at_the_edge(UnixMs now) {
    Night night;
    night.add_window("night", "fri 22:00-06:00");
    night.s.policy.of(JobClass::kTraining).window = "night";
    night.now = now;
    night.run(1, JobClass::kTraining, gibibytes(4));
    return night;
}

const UnixMs kClose = utc(2026, 11, 21, 6);

}  // namespace

TEST_CASE("window edges: a job is asked one grace time before its window closes") {
    CHECK(at_the_edge(kClose - seconds(61)).plan().yields.empty());
    CHECK(at_the_edge(kClose - seconds(61)).plan().next_wakeup == kClose - seconds(60));
    const Plan plan = at_the_edge(kClose - seconds(60)).plan();
    REQUIRE(plan.yields.size() == 1);
    CHECK(plan.yields[0].job == JobId{1});
    CHECK_FALSE(plan.yields[0].beneficiary);
    CHECK(plan.yields[0].reason == "window");
    CHECK(plan.yields[0].deadline == kClose);
}

TEST_CASE("window edges: outside its window a job leaves with a full grace time") {
    const Night night = at_the_edge(kClose + minutes(5));
    const Plan plan = night.plan();
    REQUIRE(plan.yields.size() == 1);
    CHECK(plan.yields[0].deadline == night.now + seconds(60));
}

TEST_CASE("window edges: a job that is done by then is left alone, until the edge") {
    Night night = at_the_edge(kClose - seconds(30));
    night.s.live[0].predicted_end = kClose - seconds(5);
    CHECK(night.plan().yields.empty());
    CHECK(night.plan().next_wakeup == kClose - seconds(5));  // it may outlive the guess
    night.now = kClose;
    CHECK(yields(night.plan(), 1));
}

TEST_CASE("window edges: a window only says when a job starts that cannot be preempted") {
    Night night = at_the_edge(kClose + minutes(5));
    night.s.live[0].job.spec.preemptible = false;
    CHECK(night.plan().yields.empty());
}

TEST_CASE("window edges: nobody is asked twice, and a job is not a victim at the same time") {
    Night night = at_the_edge(kClose - seconds(10));
    night.s.live[0].lease.budget = gibibytes(20);
    night.wait(2, JobClass::kInference, gibibytes(8));
    const Plan plan = night.plan();
    REQUIRE(plan.yields.size() == 1);
    CHECK(plan.yields[0].reason == "window");
    CHECK(gate_of(plan, 2, "vram_release_pending") != nullptr);
    night.s.live[0].job.state = JobState::kYielding;
    CHECK(night.plan().yields.empty());
}

TEST_CASE("window edges: finish_if_p90_before leaves a job alone that is done within the slack") {
    for (const bool by_job : {false, true}) {
        Night night = at_the_edge(kClose - seconds(30));
        ClassPolicy& policy = night.s.policy.of(JobClass::kTraining);
        policy.window_slack = minutes(20);
        if (by_job) {
            night.s.live[0].job.spec.at_window_end = WindowEnd::kFinish;
        } else {
            policy.at_window_end = WindowEnd::kFinish;
        }
        night.s.live[0].predicted_end = kClose + minutes(19);
        CHECK(night.plan().yields.empty());
        night.s.live[0].predicted_end = kClose + minutes(21);
        CHECK(yields(night.plan(), 1));
        night.s.live[0].predicted_end.reset();
        CHECK(yields(night.plan(), 1));  // nobody knows
        // After the edge the same slack counts from the edge.
        night.now = kClose + minutes(10);
        night.s.live[0].predicted_end = kClose + minutes(19);
        CHECK(night.plan().yields.empty());
        night.s.live[0].predicted_end = kClose + minutes(40);
        CHECK(yields(night.plan(), 1));
    }
}

TEST_CASE("window edges: kill runs to the edge, without time to save, whoever it is") {
    Night night = at_the_edge(kClose - seconds(1));
    night.s.policy.of(JobClass::kTraining).at_window_end = WindowEnd::kKill;
    night.s.live[0].job.spec.preemptible = false;
    CHECK(night.plan().yields.empty());
    CHECK(night.plan().next_wakeup == kClose);
    night.now = kClose;
    const Plan plan = night.plan();
    REQUIRE(plan.yields.size() == 1);
    CHECK(plan.yields[0].deadline == kClose);
    CHECK(plan.yields[0].reason == "window");
}

TEST_CASE("window edges: with the slack a start is useful up to the edge") {
    Night night;
    night.add_window("night", "fri 22:00-06:00");
    night.s.policy.of(JobClass::kTraining).window = "night";
    night.now = kClose - minutes(1);
    night.wait(1, JobClass::kTraining, gibibytes(1)).spec.estimate = minutes(16);
    CHECK(gate_of(night.plan(), 1, "window_too_short") != nullptr);
    night.s.candidates[1][0].spec.at_window_end = WindowEnd::kFinish;
    CHECK(starts(night.plan(), 1));
    night.s.candidates[1][0].spec.estimate = hours(2);
    CHECK(gate_of(night.plan(), 1, "window_too_short") != nullptr);
}
