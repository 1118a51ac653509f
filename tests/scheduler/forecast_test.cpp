#include "scheduler/forecast.h"

#include <doctest/doctest.h>

#include "scheduler/runtime.h"
#include "tests/support/night.h"

using namespace nightshift;
using namespace nightshift::tests;

TEST_CASE("forecast: a job that starts now says so") {
    Night night;
    const Job job = night.wait(1, JobClass::kTraining, gibibytes(4));
    const auto e = night.explain(job);
    CHECK(e.gates.empty());
    CHECK(e.eta.p50 == night.now);
    CHECK(e.eta.p90 == night.now);
}

TEST_CASE("forecast: the end of the holder gives the time") {
    Night night;
    night.run(1, JobClass::kTraining, gibibytes(20)).predicted_end = night.now + hours(1);
    const Job job = night.wait(2, JobClass::kTraining, gibibytes(8));
    const auto e = night.explain(job);
    REQUIRE(e.eta.p50.has_value());
    CHECK(e.eta.p90 == night.now + hours(1));
    CHECK(*e.eta.p50 <= *e.eta.p90);
    CHECK(*e.eta.p50 > night.now);
}

TEST_CASE("forecast: jobs ahead run first") {
    Night night;
    night.run(1, JobClass::kTraining, gibibytes(20)).predicted_end = night.now + hours(1);
    night.wait(2, JobClass::kTraining, gibibytes(20)).spec.estimate = hours(4);
    const Job job = night.wait(3, JobClass::kTraining, gibibytes(8));
    const auto e = night.explain(job);
    REQUIRE(e.eta.p90.has_value());
    CHECK(*e.eta.p90 == night.now + hours(1) + hours(5));  // 4 h, a quarter more for caution
}

TEST_CASE("forecast: what is not known is said, not guessed") {
    Night night;
    night.run(1, JobClass::kTraining, gibibytes(20));
    Job job = night.wait(2, JobClass::kTraining, gibibytes(8));
    auto e = night.explain(job);
    CHECK_FALSE(e.eta.p50.has_value());
    CHECK_FALSE(e.eta.basis.empty());
    night.s.live.clear();
    job.held = true;
    e = night.explain(job);
    CHECK_FALSE(e.eta.p50.has_value());
    CHECK(e.eta.basis.find("held") != std::string::npos);
}

TEST_CASE("forecast: a closed window gives its opening") {
    Night night;
    night.now = utc(2026, 11, 20, 12);
    night.add_window("night", "mon-fri 22:00-06:00");
    Job job = night.wait(1, JobClass::kTraining, gibibytes(8));
    job.spec.window = "night";
    CHECK(night.explain(job).eta.p50 == utc(2026, 11, 20, 22));
}

TEST_CASE("runtime: the estimate, the history, the limit, in this order") {
    Night night;
    Job job = night.wait(1, JobClass::kTraining, gibibytes(8));
    CHECK_FALSE(predict_run(job, night.s).p90.has_value());
    night.s.policy.limits.time_limit = hours(24);
    CHECK(predict_run(job, night.s).p90 == hours(24));
    night.s.stats.push_back({"burn", 2, hours(1), hours(2), gibibytes(1)});
    CHECK(predict_run(job, night.s).p90 == hours(24));  // two runs say nothing
    night.s.stats[0].runs = 3;
    CHECK(predict_run(job, night.s).p90 == hours(2));
    job.spec.estimate = minutes(20);
    CHECK(predict_run(job, night.s).p50 == minutes(20));
    CHECK(predict_run(job, night.s).p90 == minutes(25));
    job.spec.time_limit = minutes(10);
    CHECK(predict_run(job, night.s).p90 == minutes(10));
    // What is done and saved is not done again.
    job.spec.time_limit.reset();
    job.run_time = minutes(15);
    CHECK(predict_run(job, night.s).p50 == minutes(20));
    job.has_checkpoint = true;
    CHECK(predict_run(job, night.s).p50 == minutes(5));
}

TEST_CASE("runtime: inference has no time limit of its own accord") {
    Night night;
    night.s.policy.limits.time_limit = hours(24);
    Job job = night.wait(1, JobClass::kInference, gibibytes(8));
    CHECK_FALSE(time_left(job, night.s.policy).has_value());
    job.spec.time_limit = hours(1);
    job.run_time = minutes(50);
    CHECK(time_left(job, night.s.policy) == minutes(10));
    job.run_time = hours(2);
    CHECK(time_left(job, night.s.policy) == Millis{0});
}

TEST_CASE("forecast: a job that waits for CPU slots or RAM has a likely start as well") {
    Night night;
    night.s.cpu_total = 4;
    LiveJob& live = night.run(1, JobClass::kTraining, gibibytes(1));
    live.job.spec.cpu = 3;
    live.job.spec.ram = gibibytes(40);
    live.predicted_end = night.now + minutes(50);
    Job& first = night.wait(2, JobClass::kTraining, Bytes{});
    first.spec.cpu = 4;
    first.spec.estimate = minutes(8);
    Job second = night.wait(3, JobClass::kTraining, Bytes{});
    second.spec.ram = gibibytes(30);
    second.spec.cpu = 2;
    const Explanation e = night.explain(night.s.candidates[1][0]);
    REQUIRE(gate_of(e, "cpu") != nullptr);
    CHECK(e.eta.p50 == night.now + minutes(40));
    CHECK(e.eta.p90 == night.now + minutes(50));
    CHECK(e.eta.basis == "expected ends of the jobs that hold the place on the machine and of those ahead");
    // Behind it: after its run, at its cautious length.
    CHECK(night.explain(second).eta.p90 == night.now + minutes(60));
}

TEST_CASE("forecast: a limit of its group opens when one of them is expected to end") {
    Night night;
    night.s.policy.of(JobClass::kTraining).running = 2;
    night.run(1, JobClass::kTraining, gibibytes(1)).predicted_end = night.now + minutes(50);
    night.run(2, JobClass::kTraining, gibibytes(1)).predicted_end = night.now + minutes(20);
    const Job job = night.wait(3, JobClass::kTraining, gibibytes(1));
    CHECK(night.explain(job).eta.p90 == night.now + minutes(20));
}
