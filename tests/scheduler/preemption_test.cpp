#include "scheduler/preemption.h"

#include <doctest/doctest.h>

#include "tests/support/night.h"

using namespace nightshift;
using namespace nightshift::tests;

TEST_CASE("preemption: inference makes training yield, at once") {
    Night night;
    night.run(1, JobClass::kTraining, gibibytes(20), seconds(1));  // min_run does not protect from inference
    night.wait(2, JobClass::kInference, gibibytes(8));
    const Plan plan = night.plan();
    REQUIRE(plan.yields.size() == 1);
    CHECK(plan.yields[0].job == JobId{1});
    CHECK(plan.yields[0].beneficiary == JobId{2});
    CHECK(plan.yields[0].reason == "preempted");
    CHECK(plan.yields[0].deadline == night.now + seconds(60));
    REQUIRE(gate_of(plan, 2, "vram_release_pending") != nullptr);
    CHECK(gate_of(plan, 2, "vram_release_pending")->jobs == std::vector<JobId>{JobId{1}});
}

TEST_CASE("preemption: never when it fits, with headroom kept for it") {
    Night night;
    night.s.policy.of(JobClass::kInference).headroom = {{"", gibibytes(8)}};
    night.run(1, JobClass::kTraining, gibibytes(15));
    night.wait(2, JobClass::kInference, gibibytes(8));
    const Plan plan = night.plan();
    CHECK(plan.yields.empty());
    CHECK(starts(plan, 2));
}

TEST_CASE("preemption: training takes from synthesis, after its minimum run, and never from its own") {
    Night night;
    night.run(1, JobClass::kSynthesis, gibibytes(20), minutes(4));
    night.wait(2, JobClass::kTraining, gibibytes(8));
    Plan plan = night.plan();
    CHECK(plan.yields.empty());
    const Gate* gate = gate_of(plan, 2, "protected_victims");
    REQUIRE(gate != nullptr);
    CHECK(gate->jobs == std::vector<JobId>{JobId{1}});
    CHECK(gate->opens_at == night.now + minutes(1));
    CHECK(plan.next_wakeup == night.now + minutes(1));
    night.now = night.now + minutes(1);
    CHECK(yields(night.plan(), 1));
    night.s.live[0].job.spec.job_class = JobClass::kEvaluation;
    CHECK(night.plan().yields.empty());
}

TEST_CASE("preemption: lower classes never take from higher ones") {
    Night night;
    night.run(1, JobClass::kInference, gibibytes(20)).job.spec.preemptible = true;
    night.wait(2, JobClass::kTraining, gibibytes(8)).spec.priority = 100;
    night.wait(3, JobClass::kSynthesis, gibibytes(8));
    CHECK(night.plan().yields.empty());
}

TEST_CASE("preemption: what cannot be preempted is left alone") {
    Night night;
    night.run(1, JobClass::kTraining, gibibytes(20)).job.spec.preemptible = false;
    night.wait(2, JobClass::kInference, gibibytes(8));
    const Plan plan = night.plan();
    CHECK(plan.yields.empty());
    REQUIRE(gate_of(plan, 2, "protected_victims") != nullptr);
    CHECK_FALSE(gate_of(plan, 2, "protected_victims")->opens_at.has_value());
}

TEST_CASE("preemption: nobody is asked when all of them together would not do") {
    Night night;
    night.run(1, JobClass::kTraining, gibibytes(4));
    night.s.devices[0].foreign = gibibytes(18);
    night.wait(2, JobClass::kInference, gibibytes(8));
    const Plan plan = night.plan();
    CHECK(plan.yields.empty());
    CHECK(gate_of(plan, 2, "protected_victims") == nullptr);
}

TEST_CASE("preemption: at most so many times in 24 hours") {
    Night night;
    night.s.policy.preemption.max_per_day = 2;
    auto& live = night.run(1, JobClass::kTraining, gibibytes(20));
    live.preempted_at = {night.now - hours(30), night.now - hours(20), night.now - hours(3)};
    night.wait(2, JobClass::kInference, gibibytes(8));
    const Plan plan = night.plan();
    CHECK(plan.yields.empty());
    REQUIRE(gate_of(plan, 2, "protected_victims") != nullptr);
    CHECK(gate_of(plan, 2, "protected_victims")->opens_at == night.now + hours(4));
    night.now = night.now + hours(4);
    CHECK(yields(night.plan(), 1));
}

TEST_CASE("preemption: one at a time") {
    Night night;
    auto& leaving = night.run(1, JobClass::kSynthesis, gibibytes(4));
    leaving.job.state = JobState::kYielding;
    leaving.attempt.beneficiary = JobId{9};
    leaving.attempt.stop_reason = "preempted";
    night.run(2, JobClass::kTraining, gibibytes(18));
    night.wait(3, JobClass::kInference, gibibytes(10));
    const Plan plan = night.plan();
    CHECK(plan.yields.empty());
    REQUIRE(gate_of(plan, 3, "preemption_in_flight") != nullptr);
    CHECK(gate_of(plan, 3, "preemption_in_flight")->jobs == std::vector<JobId>{JobId{1}});
}

TEST_CASE("preemption: bytes of a yielding victim count, no second one is asked") {
    Night night;
    auto& leaving = night.run(1, JobClass::kTraining, gibibytes(10));
    leaving.job.state = JobState::kYielding;
    leaving.attempt.beneficiary = JobId{3};
    night.run(2, JobClass::kTraining, gibibytes(10));
    night.wait(3, JobClass::kInference, gibibytes(8));
    const Plan plan = night.plan();
    CHECK(plan.yields.empty());
    CHECK(gate_of(plan, 3, "vram_release_pending") != nullptr);
    CHECK(gate_of(plan, 3, "preemption_in_flight") == nullptr);
}

TEST_CASE("preemption: hysteresis blocks the next preemption, never a start") {
    Night night;
    night.s.last_preemption_at = night.now - seconds(20);
    night.run(1, JobClass::kTraining, gibibytes(20));
    night.wait(2, JobClass::kInference, gibibytes(8));
    Plan plan = night.plan();
    CHECK(plan.yields.empty());
    REQUIRE(gate_of(plan, 2, "preemption_in_flight") != nullptr);
    CHECK(gate_of(plan, 2, "preemption_in_flight")->opens_at == night.now + seconds(40));
    CHECK(plan.next_wakeup == night.now + seconds(40));
    night.s.live.clear();
    CHECK(starts(night.plan(), 2));
}

TEST_CASE("preemption: the set that loses the least work leaves") {
    Night night;
    // 24 GiB - 0.5 - 23 = 0.5 free; 8 wanted.
    auto& worker = night.run(1, JobClass::kTraining, gibibytes(9), hours(3));
    worker.job.spec.checkpoint = CheckpointMode::kWorker;  // saves on request
    auto& none = night.run(2, JobClass::kTraining, gibibytes(8), hours(2));
    none.job.spec.checkpoint = CheckpointMode::kNone;  // would lose two hours
    night.run(3, JobClass::kSynthesis, gibibytes(6), hours(1)).job.spec.checkpoint = CheckpointMode::kNone;
    night.wait(4, JobClass::kInference, gibibytes(8));
    const Plan plan = night.plan();
    REQUIRE(plan.yields.size() == 1);
    CHECK(plan.yields[0].job == JobId{1});
}

TEST_CASE("preemption: the fewest and lowest leave when the loss is equal") {
    Night night;
    night.run(1, JobClass::kTraining, gibibytes(8), hours(1));
    night.run(2, JobClass::kSynthesis, gibibytes(8), hours(2));
    night.run(3, JobClass::kSynthesis, gibibytes(7), hours(1));
    night.wait(4, JobClass::kInference, gibibytes(8));  // 0.5 free, 7.5 missing
    Plan plan = night.plan();
    REQUIRE(plan.yields.size() == 1);
    CHECK(plan.yields[0].job == JobId{2});  // synthesis before training
    night.s.live[2].lease.budget = gibibytes(8);
    night.s.live[0].lease.budget = gibibytes(7);
    plan = night.plan();
    REQUIRE(plan.yields.size() == 1);
    CHECK(plan.yields[0].job == JobId{3});  // both would do: the younger run
}

TEST_CASE("preemption: several victims when one is not enough") {
    Night night;
    night.run(1, JobClass::kTraining, gibibytes(8));
    night.run(2, JobClass::kSynthesis, gibibytes(8));
    night.run(3, JobClass::kSynthesis, gibibytes(7));
    night.wait(4, JobClass::kInference, gibibytes(20));
    CHECK(night.plan().yields.size() == 3);
    night.s.candidates[0][0].spec.vram = gibibytes(14);
    CHECK(night.plan().yields.size() == 2);
}

TEST_CASE("preemption: room on the machine is made as well, CPU slots, RAM and running jobs") {
    Night night;
    JobClass above = JobClass::kInference;
    SUBCASE("cpu") {
        night.s.cpu_total = 2;
        above = JobClass::kTraining;  // inference would start beside it
        night.run(1, JobClass::kSynthesis, gibibytes(1)).job.spec.cpu = 2;
    }
    SUBCASE("ram") {
        night.run(1, JobClass::kTraining, gibibytes(1)).job.spec.ram = gibibytes(63);
    }
    SUBCASE("running") {
        night.s.policy.limits.running = 1;
        night.run(1, JobClass::kTraining, gibibytes(1));
    }
    Job& job = night.wait(2, above, gibibytes(1));
    job.spec.ram = gibibytes(2);
    const Plan plan = night.plan();
    CHECK(yields(plan, 1));
    CHECK(plan.starts.empty());
}

TEST_CASE("preemption: a paused queue and a closed window preempt nobody") {
    Night night;
    night.run(1, JobClass::kTraining, gibibytes(20));
    night.wait(2, JobClass::kInference, gibibytes(8));
    night.s.is_paused = true;
    CHECK(night.plan().yields.empty());
    night.s.is_paused = false;
    night.add_window("day", "daily 08:00-19:00");
    night.s.candidates[0][0].spec.window = "day";
    CHECK(night.plan().yields.empty());
}

TEST_CASE("preemption: a job that was let past the head yields to it, also inside its class") {
    Night night;
    auto& passed = night.run(5, JobClass::kTraining, gibibytes(10), minutes(10));
    Job& head = night.wait(2, JobClass::kTraining, gibibytes(16));
    SUBCASE("it started while the head waited") {
        head.eligible_since = night.now - hours(1);
        const Plan plan = night.plan();
        REQUIRE(plan.yields.size() == 1);
        CHECK(plan.yields[0].job == JobId{5});
        CHECK(plan.yields[0].beneficiary == JobId{2});
    }
    SUBCASE("it had started before the head came") {
        head.eligible_since = night.now - minutes(5);
        CHECK(night.plan().yields.empty());
    }
    SUBCASE("it is ahead of the head") {
        head.eligible_since = night.now - hours(1);
        passed.job.order_key = 1;
        CHECK(night.plan().yields.empty());
    }
    SUBCASE("it is too young") {
        head.eligible_since = night.now - hours(1);
        passed.attempt.running_at = passed.attempt.granted_at = night.now - minutes(2);
        const Plan plan = night.plan();
        CHECK(plan.yields.empty());
        CHECK(gate_of(plan, 2, "protected_victims") != nullptr);
    }
}

TEST_CASE("preemption: the victim resumes by itself when the beneficiary is done") {
    Night night;
    Job& victim = night.wait(1, JobClass::kTraining, gibibytes(20));
    victim.preemptions = 1;
    victim.has_checkpoint = true;
    night.s.last_preemption_at = night.now - seconds(5);
    CHECK(starts(night.plan(), 1));
}
