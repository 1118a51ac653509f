#include "scheduler/backfill.h"

#include <doctest/doctest.h>

#include "tests/support/night.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

/// 24 - 0.5 safety; job 1 (not preemptible) holds 14 until `end`; head 2 wants 16; 9.5 are free.
Night waiting_head(std::optional<Millis> left) {
    Night night;
    auto& holder = night.run(1, JobClass::kTraining, gibibytes(14));
    holder.job.spec.preemptible = false;
    if (left) holder.predicted_end = night.now + *left;
    night.wait(2, JobClass::kTraining, gibibytes(16));
    return night;
}

Job& rigid(Job& job) {
    job.spec.preemptible = false;
    return job;
}

}  // namespace

TEST_CASE("backfill: a job that is over in time goes ahead of the head") {
    Night night = waiting_head(hours(2));
    rigid(night.wait(3, JobClass::kTraining, gibibytes(9))).spec.estimate = hours(1);
    const Plan plan = night.plan();
    CHECK(starts(plan, 3));
    CHECK(gate_of(plan, 2, "vram_budget") != nullptr);
    CHECK(plan.waiting[0].is_head_of_class);
}

TEST_CASE("backfill: a job that would push the head waits") {
    Night night = waiting_head(hours(2));
    Job& job = rigid(night.wait(3, JobClass::kTraining, gibibytes(9)));
    job.spec.estimate = hours(4);
    Plan plan = night.plan();
    const Gate* gate = gate_of(plan, 3, "vram_reserved_for_head");
    REQUIRE(gate != nullptr);
    CHECK(gate->jobs == std::vector<JobId>{JobId{2}});
    CHECK(gate_of(plan, 3, "order_behind") != nullptr);
    // Unknown run time counts as endless.
    job.spec.estimate.reset();
    CHECK(gate_of(night.plan(), 3, "vram_reserved_for_head") != nullptr);
    // Lower classes do not push it either.
    job.spec.job_class = JobClass::kSynthesis;
    night.s.candidates[3].push_back(job);
    night.s.candidates[1].pop_back();
    CHECK(gate_of(night.plan(), 3, "vram_reserved_for_head") != nullptr);
}

TEST_CASE("backfill: a job that fits beside head and reservation goes") {
    Night night = waiting_head(hours(2));
    rigid(night.wait(3, JobClass::kTraining, gibibytes(7)));  // 23.5 - 16 = 7.5
    CHECK(starts(night.plan(), 3));
    Night unknown = waiting_head(std::nullopt);
    rigid(unknown.wait(3, JobClass::kTraining, gibibytes(7)));
    CHECK(starts(unknown.plan(), 3));
    unknown.s.candidates[1][1].spec.vram = gibibytes(8);
    CHECK_FALSE(starts(unknown.plan(), 3));
}

TEST_CASE("backfill: two small jobs do not push together what neither pushes alone") {
    Night night = waiting_head(hours(2));
    rigid(night.wait(3, JobClass::kTraining, gibibytes(4)));
    rigid(night.wait(4, JobClass::kTraining, gibibytes(4)));
    const Plan plan = night.plan();
    CHECK(starts(plan, 3));
    CHECK(gate_of(plan, 4, "vram_reserved_for_head") != nullptr);
}

TEST_CASE("backfill: a preemptible job may go, since it leaves when the head needs it") {
    Night night = waiting_head(std::nullopt);
    Job& job = night.wait(3, JobClass::kTraining, gibibytes(9));
    CHECK(starts(night.plan(), 3));
    // Not when it has used up its preemptions.
    job.preemptions = 4;
    CHECK(gate_of(night.plan(), 3, "vram_reserved_for_head") != nullptr);
}

TEST_CASE("backfill: not even a preemptible job when the head's time is near") {
    Night night = waiting_head(minutes(3));  // less than min_run + grace
    night.wait(3, JobClass::kTraining, gibibytes(9));
    CHECK(gate_of(night.plan(), 3, "vram_reserved_for_head") != nullptr);
}

TEST_CASE("backfill: nobody slips in while memory for the head is on its way") {
    Night night;
    auto& victim = night.run(1, JobClass::kTraining, gibibytes(14));
    victim.job.state = JobState::kYielding;
    victim.attempt.beneficiary = JobId{2};
    night.wait(2, JobClass::kInference, gibibytes(16));
    night.wait(3, JobClass::kSynthesis, gibibytes(9)).spec.estimate = seconds(1);
    night.wait(4, JobClass::kSynthesis, gibibytes(7));
    const Plan plan = night.plan();
    CHECK(gate_of(plan, 2, "vram_release_pending") != nullptr);
    CHECK(gate_of(plan, 3, "vram_reserved_for_head") != nullptr);
    CHECK(starts(plan, 4));  // fits beside
}

TEST_CASE("backfill: memory on its way back is not promised to a job that would push the head with it") {
    Night night = waiting_head(hours(2));
    night.run(3, JobClass::kSynthesis, gibibytes(2)).job.state = JobState::kStopping;
    night.s.cpu_total = 4;
    Job& job = rigid(night.wait(4, JobClass::kSynthesis, gibibytes(9)));
    job.spec.estimate = hours(4);
    job.spec.cpu = 2;
    night.wait(5, JobClass::kSynthesis, Bytes{0}).spec.cpu = 2;
    Plan plan = night.plan();
    const Gate* gate = gate_of(plan, 4, "vram_budget");
    REQUIRE(gate != nullptr);
    CHECK(gate->text.ends_with(" What is on its way back is for job 2, which is ahead."));
    CHECK(starts(plan, 5));  // nothing is kept for job 4
    night.s.candidates[static_cast<std::size_t>(JobClass::kSynthesis)][0].spec.estimate = hours(1);
    plan = night.plan();
    CHECK(gate_of(plan, 4, "vram_release_pending") != nullptr);
    CHECK(gate_of(plan, 5, "cpu") != nullptr);
}

TEST_CASE("backfill: the reservation waits for the headroom to step down too") {
    Night night;
    night.now = utc(2026, 11, 20, 18);
    night.add_window("office", "mon-fri 08:00-19:00");
    night.s.policy.of(JobClass::kInference).headroom = {{"office", gibibytes(12)}, {"", gibibytes(2)}};
    night.wait(1, JobClass::kTraining, gibibytes(20));
    Job& late = rigid(night.wait(2, JobClass::kTraining, gibibytes(8)));
    late.spec.estimate = hours(3);
    CHECK(gate_of(night.plan(), 2, "vram_reserved_for_head") != nullptr);
    late.spec.estimate = minutes(30);
    CHECK(starts(night.plan(), 2));
}

TEST_CASE("backfill: jobs without VRAM pass everybody") {
    Night night = waiting_head(std::nullopt);
    night.wait(3, JobClass::kSynthesis, Bytes{0});
    CHECK(starts(night.plan(), 3));
}
