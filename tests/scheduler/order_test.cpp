#include "scheduler/order.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/night.h"

using namespace nightshift;
using namespace nightshift::tests;

TEST_CASE("order: class rank, then priority, then order_key, then id") {
    Night night;
    night.wait(1, JobClass::kSynthesis, gibibytes(1)).spec.priority = 100;
    night.wait(2, JobClass::kTraining, gibibytes(1));
    night.wait(3, JobClass::kEvaluation, gibibytes(1)).spec.priority = 5;
    night.wait(4, JobClass::kInference, gibibytes(1)).spec.priority = -100;
    night.wait(5, JobClass::kTraining, gibibytes(1)).order_key = 1;
    std::vector<std::int64_t> ids;
    for (const Job* job : planning_order(night.s, night.now)) ids.push_back(job->id.value);
    CHECK(ids == std::vector<std::int64_t>{4, 3, 5, 2, 1});
}

TEST_CASE("order: a job without an id comes last among equals") {
    Night night;
    Job stored = night.wait(7, JobClass::kTraining, gibibytes(1));
    Job fresh = stored;
    fresh.id = JobId{};
    CHECK(goes_before(stored, fresh, night.now));
    CHECK_FALSE(goes_before(fresh, stored, night.now));
}

TEST_CASE("order: waiting for room raises a job by a point in half an hour, at most 50") {
    Night night;
    Job& job = night.wait(1, JobClass::kTraining, gibibytes(1));
    job.spec.priority = 10;
    CHECK(effective_priority(job, night.now) == 10);
    job.eligible_since = night.now;
    CHECK(effective_priority(job, night.now + minutes(29)) == 10);
    CHECK(effective_priority(job, night.now + minutes(30)) == 11);
    CHECK(effective_priority(job, night.now + hours(25)) == 60);
    CHECK(effective_priority(job, night.now + hours(2500)) == 60);
    CHECK(effective_priority(job, night.now - hours(5)) == 10);  // the clock went back
    CHECK(next_ageing(job, night.now + minutes(29)) == night.now + minutes(30));
    CHECK(next_ageing(job, night.now + minutes(30)) == night.now + minutes(60));
    CHECK_FALSE(next_ageing(job, night.now + hours(26)).has_value());
}

TEST_CASE("order: ageing overtakes within the class and never across") {
    Night night;
    Job& old_synthesis = night.wait(1, JobClass::kSynthesis, gibibytes(1));
    old_synthesis.eligible_since = night.now - hours(1000);
    night.wait(2, JobClass::kTraining, gibibytes(1)).spec.priority = -100;
    night.wait(3, JobClass::kTraining, gibibytes(1)).spec.priority = -99;
    night.s.candidates[1][0].eligible_since = night.now - hours(2);
    std::vector<std::int64_t> ids;
    for (const Job* job : planning_order(night.s, night.now)) ids.push_back(job->id.value);
    CHECK(ids == std::vector<std::int64_t>{2, 3, 1});
}

TEST_CASE("order: a pause stops the count and does not reset it") {
    Night night;
    Job& job = night.wait(1, JobClass::kTraining, gibibytes(1));
    job.eligible_time = hours(2);  // waited for room before the pause
    CHECK(effective_priority(job, night.now) == 4);
    CHECK(effective_priority(job, night.now + hours(9)) == 4);
    CHECK_FALSE(next_ageing(job, night.now).has_value());
    job.eligible_since = night.now;  // goes on
    CHECK(effective_priority(job, night.now + minutes(60)) == 6);
    CHECK(next_ageing(job, night.now) == night.now + minutes(30));
    job.eligible_time = minutes(20);
    CHECK(next_ageing(job, night.now) == night.now + minutes(10));
}
