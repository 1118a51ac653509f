#include "scheduler/groups.h"

#include <doctest/doctest.h>

#include "tests/support/night.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

Job& wait_for(Night& night, int id, const std::string& user, JobClass job_class = JobClass::kTraining) {
    Job& job = night.wait(id, job_class, gibibytes(1));
    job.spec.labels = {{"user", user}};
    return job;
}

}  // namespace

TEST_CASE("groups: a limit without a value holds for each value by itself") {
    Night night;
    night.s.policy.groups = {{"user", std::nullopt, 1}};
    night.run(1, JobClass::kTraining, gibibytes(1)).job.spec.labels = {{"user", "kim"}};
    wait_for(night, 2, "kim");
    wait_for(night, 3, "lee");
    wait_for(night, 4, "lee");
    night.wait(5, JobClass::kTraining, gibibytes(1));
    const Plan plan = night.plan();
    CHECK_FALSE(starts(plan, 2));
    CHECK(starts(plan, 3));
    CHECK_FALSE(starts(plan, 4));  // a start of the same pass counts
    CHECK(starts(plan, 5));        // no label, no limit
    const Gate* gate = gate_of(plan, 2, "group_limit");
    REQUIRE(gate != nullptr);
    CHECK(gate->group == "user=kim");
    CHECK(gate->jobs == std::vector<JobId>{JobId{1}});
    CHECK(gate->text == "The policy allows 1 running job(s) labelled user=kim; there is 1.");
}

TEST_CASE("groups: a limit with a value holds for that one") {
    Night night;
    night.s.policy.groups = {{"project", "big", 2}};
    for (int id = 1; id <= 3; ++id) {
        night.wait(id, JobClass::kTraining, gibibytes(1)).spec.labels = {{"project", "big"}};
        night.wait(id + 10, JobClass::kTraining, gibibytes(1)).spec.labels = {{"project", "small"}};
    }
    const Plan plan = night.plan();
    CHECK(starts(plan, 1));
    CHECK(starts(plan, 2));
    CHECK_FALSE(starts(plan, 3));
    CHECK(plan.starts.size() == 5);
}

TEST_CASE("groups: a class limit, and a job held by one keeps nothing and asks nobody to leave") {
    Night night;
    night.s.policy.of(JobClass::kTraining).running = 1;
    night.run(1, JobClass::kTraining, gibibytes(10));
    night.run(2, JobClass::kSynthesis, gibibytes(13));
    night.wait(3, JobClass::kTraining, gibibytes(20)).eligible_since = night.now - hours(1);
    night.wait(4, JobClass::kSynthesis, Bytes{});
    const Plan plan = night.plan();
    CHECK(plan.yields.empty());
    CHECK(starts(plan, 4));
    const Gate* gate = gate_of(plan, 3, "group_limit");
    REQUIRE(gate != nullptr);
    CHECK(gate->group == "class training");
    // It does not grow older: the policy wants it to wait.
    for (const Explanation& waiting : plan.waiting) CHECK_FALSE(is_eligible(waiting));
}

TEST_CASE("groups: what fills a limit now") {
    Night night;
    night.s.policy.groups = {{"user", std::nullopt, 1}};
    night.run(1, JobClass::kTraining, gibibytes(1)).job.spec.labels = {{"user", "kim"}};
    JobSpec spec;
    CHECK_FALSE(is_group_full(night.s, spec));
    spec.labels = {{"user", "kim"}};
    CHECK(is_group_full(night.s, spec));
    spec.labels = {{"user", "lee"}};
    CHECK_FALSE(is_group_full(night.s, spec));
}
