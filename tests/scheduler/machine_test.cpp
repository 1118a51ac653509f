// Several resources at once: VRAM, RAM, CPU slots, running jobs.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "scheduler/preemption.h"
#include "tests/support/night.h"
#include "tests/support/seed.h"

using namespace nightshift;
using namespace nightshift::tests;

TEST_CASE("machine: inference starts at once beside lower jobs that hold every CPU slot") {
    Night night;
    night.s.cpu_total = 4;
    night.run(1, JobClass::kTraining, gibibytes(4)).job.spec.cpu = 4;
    night.wait(2, JobClass::kInference, gibibytes(4)).spec.cpu = 2;
    night.wait(3, JobClass::kSynthesis, gibibytes(1)).spec.cpu = 1;
    const Plan plan = night.plan();
    CHECK(starts(plan, 2));
    CHECK(plan.yields.empty());  // nobody loses work for a share of time
    REQUIRE(gate_of(plan, 3, "cpu") != nullptr);
    CHECK(gate_of(plan, 3, "cpu")->value == 6);  // the others see all slots that are taken
}

TEST_CASE("machine: inference counts the slots of inference") {
    Night night;
    night.s.cpu_total = 4;
    night.run(1, JobClass::kInference, gibibytes(4)).job.spec.cpu = 3;
    night.run(2, JobClass::kTraining, gibibytes(4)).job.spec.cpu = 4;
    night.wait(3, JobClass::kInference, gibibytes(4)).spec.cpu = 2;
    const Plan plan = night.plan();
    CHECK(plan.yields.empty());
    const Gate* gate = gate_of(plan, 3, "cpu");
    REQUIRE(gate != nullptr);
    CHECK(gate->value == 3);
    CHECK(gate->text == "It wants 2 CPU slots; 3 of 4 are in use by inference.");
}

TEST_CASE("machine: inference takes RAM from lower jobs, training from synthesis") {
    for (const auto& [above, below] : {std::pair{JobClass::kInference, JobClass::kTraining},
                                       std::pair{JobClass::kTraining, JobClass::kSynthesis}}) {
        Night night;
        night.run(1, below, gibibytes(1)).job.spec.ram = gibibytes(40);
        night.run(2, below, gibibytes(1)).job.spec.ram = gibibytes(10);
        night.wait(3, above, gibibytes(1)).spec.ram = gibibytes(30);
        const Plan plan = night.plan();
        CHECK(yields(plan, 1));
        CHECK_FALSE(yields(plan, 2));
        CHECK(gate_of(plan, 3, "ram") != nullptr);
    }
}

TEST_CASE("machine: one set of victims covers VRAM and RAM together") {
    Night night;
    night.run(1, JobClass::kSynthesis, gibibytes(20)).job.spec.ram = gibibytes(4);
    night.run(2, JobClass::kSynthesis, Bytes{}).job.spec.ram = gibibytes(30);
    night.run(3, JobClass::kSynthesis, Bytes{}).job.spec.ram = gibibytes(28);
    night.wait(4, JobClass::kInference, gibibytes(8)).spec.ram = gibibytes(32);
    const Plan plan = night.plan();
    CHECK(yields(plan, 1));  // the VRAM
    CHECK(plan.yields.size() == 2);
    Night after = night;
    std::erase_if(after.s.live,
                  [&](const LiveJob& live) { return yields(plan, static_cast<int>(live.job.id.value)); });
    CHECK(starts(after.plan(), 4));
}

TEST_CASE("machine: who would not get what its victims leave asks nobody") {
    Night night;
    // A training job is first in line for RAM that a job which cannot be preempted holds.
    night.run(1, JobClass::kEvaluation, Bytes{}).job.spec.ram = gibibytes(40);
    night.run(2, JobClass::kSynthesis, Bytes{}).job.spec.ram = gibibytes(10);
    night.wait(3, JobClass::kTraining, Bytes{}).spec.ram = gibibytes(50);
    night.wait(4, JobClass::kTraining, Bytes{}).spec.ram = gibibytes(20);
    CHECK(night.plan().yields.empty());
}

TEST_CASE("machine: bytes on their way back are promised once, and nobody leaves for slots kept in vain") {
    Night night;
    night.s.cpu_total = 7;
    // 1.5 are free and 6 come back: enough for job 4 or for job 5, not for both.
    night.run(1, JobClass::kSynthesis, gibibytes(6)).job.state = JobState::kStopping;
    night.run(2, JobClass::kSynthesis, gibibytes(6)).job.spec.cpu = 2;
    night.run(3, JobClass::kInference, gibibytes(10)).job.spec.cpu = 0;
    night.wait(4, JobClass::kInference, gibibytes(4)).spec.cpu = 2;
    Job& second = night.wait(5, JobClass::kEvaluation, gibibytes(4));
    second.spec.cpu = 2;
    night.wait(6, JobClass::kTraining, Bytes{}).spec.cpu = 2;
    Plan plan = night.plan();
    CHECK(gate_of(plan, 4, "vram_release_pending") != nullptr);
    const Gate* gate = gate_of(plan, 5, "vram_budget");
    REQUIRE(gate != nullptr);
    CHECK(gate->text.ends_with(" What is on its way back is for job 4, which is ahead."));
    CHECK(gate->jobs == std::vector<JobId>{JobId{2}, JobId{3}, JobId{4}});
    CHECK(plan.yields.empty());
    CHECK(starts(plan, 6));
    second.spec.vram = gibibytes(4) - mebibytes(512);
    plan = night.plan();
    CHECK(gate_of(plan, 4, "vram_release_pending") != nullptr);
    CHECK(gate_of(plan, 5, "vram_release_pending") != nullptr);
    CHECK(yields(plan, 2));  // job 6 gets its slots: the others will have theirs
}

TEST_CASE("machine: the cheapest of all sets, also beyond ten victims") {
    std::mt19937_64 engine(seed());
    const auto dice = [&engine](int low, int high) {
        return std::uniform_int_distribution<int>(low, high)(engine);
    };
    for (int trial = 0; trial < 60; ++trial) {
        Night night;
        night.s.cpu_total = 64;
        const int count = dice(2, 13);
        std::int64_t free_vram = 23 * 1024 + 512;
        std::int64_t free_ram = 64 * 1024;
        for (int id = 1; id <= count; ++id) {
            const int vram = dice(0, 1700);
            LiveJob& live = night.run(id, JobClass::kSynthesis, mebibytes(vram), minutes(dice(0, 300)));
            live.job.spec.ram = mebibytes(dice(0, 4800));
            if (dice(0, 1) == 0) live.job.spec.checkpoint = CheckpointMode::kNone;
            free_vram -= vram;
            free_ram -= live.job.spec.ram.value >> 20;
        }
        Job& job = night.wait(99, JobClass::kInference, mebibytes(free_vram + dice(1, 4000)));
        job.spec.ram = mebibytes(std::max<std::int64_t>(0, free_ram + dice(-2000, 6000)));
        night.s.policy.limits.running = 64;
        // Every subset, without the product's search.
        std::int64_t best = -1;
        for (int set = 1; set < 1 << count; ++set) {
            std::int64_t vram = free_vram, ram = free_ram, cost = 0;
            for (int i = 0; i < count; ++i) {
                if ((set >> i & 1) == 0) continue;
                const LiveJob& live = night.s.live[static_cast<std::size_t>(i)];
                vram += live.lease.budget.value >> 20;
                ram += live.job.spec.ram.value >> 20;
                cost += lost_work(live, night.now).value;
            }
            const bool covers = vram >= job.spec.vram.value >> 20 && ram >= job.spec.ram.value >> 20;
            if (covers && (best < 0 || cost < best)) best = cost;
        }
        const Plan plan = night.plan();
        if (best < 0) {
            CHECK(plan.yields.empty());
            continue;
        }
        std::int64_t paid = 0;
        for (const Yield& yield : plan.yields) {
            paid += lost_work(night.s.live[static_cast<std::size_t>(yield.job.value - 1)], night.now).value;
        }
        CAPTURE(trial);
        CHECK(paid == best);
    }
}

TEST_CASE("machine: forty victims still give a set that is enough, and no one too many") {
    Night night;
    night.s.policy.limits.running = 64;
    night.s.cpu_total = 64;
    for (int id = 1; id <= 40; ++id) night.run(id, JobClass::kSynthesis, mebibytes(500 + id), minutes(id));
    night.wait(99, JobClass::kInference, gibibytes(16));
    const Plan plan = night.plan();
    REQUIRE_FALSE(plan.yields.empty());
    for (const Yield& spared : plan.yields) {
        Night after = night;
        std::erase_if(after.s.live, [&](const LiveJob& live) {
            return live.job.id != spared.job && yields(plan, static_cast<int>(live.job.id.value));
        });
        CHECK_FALSE(starts(after.plan(), 99));
    }
    Night all = night;
    std::erase_if(all.s.live,
                  [&](const LiveJob& live) { return yields(plan, static_cast<int>(live.job.id.value)); });
    CHECK(starts(all.plan(), 99));
}
