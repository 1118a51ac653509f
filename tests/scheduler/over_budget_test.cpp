#include "scheduler/over_budget.h"

#include <doctest/doctest.h>

#include "tests/support/night.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

/// Two jobs on the 24 GiB card: 1 keeps to its 10 GiB, 2 was given 8 GiB and holds `used`.
Night with_taker(Bytes used) {
    Night night;
    night.run(1, JobClass::kTraining, gibibytes(10)).lease.used = gibibytes(10);
    night.run(2, JobClass::kTraining, gibibytes(8)).lease.used = used;
    return night;
}

}  // namespace

TEST_CASE("over budget: kept while the device has room, counted as held") {
    Night night = with_taker(gibibytes(13));
    CHECK(night.plan().yields.empty());
    night.wait(3, JobClass::kSynthesis, gibibytes(1));
    const Plan plan = night.plan();
    REQUIRE(gate_of(plan, 3, "vram_budget") != nullptr);
    CHECK(gate_of(plan, 3, "vram_budget")->vram->held == gibibytes(23));
    CHECK(plan.yields.empty());
}

TEST_CASE("over budget: without room the one that took it is asked, never a neighbour") {
    Night night = with_taker(gibibytes(14));
    const Plan plan = night.plan();
    REQUIRE(plan.yields.size() == 1);
    CHECK(plan.yields[0].job == JobId{2});
    CHECK(plan.yields[0].reason == "over_budget");
    CHECK_FALSE(plan.yields[0].beneficiary);
    CHECK(plan.yields[0].deadline == night.now + night.s.policy.preemption.grace);
    // Whoever may not be preempted took more all the same.
    night.s.live[1].job.spec.preemptible = false;
    CHECK(yields(night.plan(), 2));
}

TEST_CASE("over budget: a driver's own buffers, other programs and a sick card are nobody's fault") {
    Night buffers = with_taker(mebibytes(8 * 1024 + 400));
    buffers.s.devices[0].foreign = gibibytes(12);
    CHECK(buffers.plan().yields.empty());
    Night grown = with_taker(gibibytes(8));
    grown.s.devices[0].foreign = gibibytes(12);
    CHECK(grown.plan().yields.empty());
    Night sick = with_taker(gibibytes(14));
    sick.s.devices[0].sample = DeviceSample{};
    sick.s.devices[0].sample->is_healthy = false;
    CHECK(sick.plan().yields.empty());
}

TEST_CASE("over budget: the one that took most goes first, and no more than has to") {
    Night night = with_taker(gibibytes(9));
    LiveJob& most = night.run(3, JobClass::kInference, gibibytes(1));
    most.lease.used = gibibytes(6);
    const Plan one = night.plan();
    REQUIRE(one.yields.size() == 1);
    CHECK(one.yields[0].job == JobId{3});
    night.s.devices[0].foreign = gibibytes(6);
    const Plan both = night.plan();
    REQUIRE(both.yields.size() == 2);
    CHECK(both.yields[0].job == JobId{3});
    CHECK(both.yields[1].job == JobId{2});
}

TEST_CASE("over budget: bytes that are on their way back need no more victims") {
    Night night = with_taker(gibibytes(14));
    Lease gone;
    gone.attempt = {JobId{9}, 1};
    gone.device = night.s.devices[0].device.uuid;
    gone.budget = gibibytes(2);
    gone.is_reclaiming = true;
    night.s.reclaiming.push_back(gone);
    CHECK(yields(night.plan(), 2));
    night.s.live[1].lease.used = gibibytes(13);
    CHECK_FALSE(yields(night.plan(), 2));
}
