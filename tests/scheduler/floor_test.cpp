#include "scheduler/floor.h"

#include <doctest/doctest.h>

#include "scheduler/order.h"
#include "tests/support/night.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

/// Training had the card for 20 of the last 24 hours; a synthesis job has waited for `wait`.
Night starving(Millis wait) {
    Night night;
    night.s.gpu_time[static_cast<std::size_t>(JobClass::kTraining)] = hours(20);
    night.wait(1, JobClass::kTraining, gibibytes(20));
    night.wait(2, JobClass::kSynthesis, gibibytes(20)).eligible_since = night.now - wait;
    return night;
}

}  // namespace

TEST_CASE("floor: a class that got nothing goes first once it has waited its share of a day") {
    CHECK(lifted_job(starving(minutes(143)).s, starving(minutes(143)).now) == nullptr);
    const Night night = starving(minutes(145));
    REQUIRE(lifted_job(night.s, night.now) != nullptr);
    CHECK(lifted_job(night.s, night.now)->id == JobId{2});
    const Plan plan = night.plan();
    CHECK(starts(plan, 2));
    CHECK_FALSE(starts(plan, 1));
}

TEST_CASE("floor: it is never lifted into inference, and asks nobody above its class to leave") {
    Night night = starving(hours(10));
    night.wait(3, JobClass::kInference, gibibytes(20));
    const auto order = planning_order(night.s, night.now);
    REQUIRE(order.size() == 3);
    CHECK(order[0]->id == JobId{3});
    CHECK(order[1]->id == JobId{2});
    CHECK(starts(night.plan(), 3));

    Night busy = starving(hours(10));
    busy.s.candidates[3][0].spec.vram = gibibytes(22);
    busy.run(9, JobClass::kTraining, gibibytes(20), hours(2));
    const Plan plan = busy.plan();
    CHECK(plan.yields.empty());
    CHECK(plan.starts.empty());
    // What it waits for is kept for it: no training job slips in, although it would fit.
    busy.s.candidates[1][0].spec.vram = gibibytes(2);
    CHECK(gate_of(busy.plan(), 1, "vram_reserved_for_head") != nullptr);
}

TEST_CASE("floor: it lifts the lowest class only, never training over inference") {
    Night night;
    night.s.gpu_time[static_cast<std::size_t>(JobClass::kSynthesis)] = hours(20);
    night.wait(1, JobClass::kTraining, gibibytes(20)).eligible_since = night.now - hours(10);
    CHECK(lifted_job(night.s, night.now) == nullptr);
}

TEST_CASE("floor: met, switched off, or idle machine: the order of the classes holds") {
    Night met = starving(hours(10));
    met.s.gpu_time[static_cast<std::size_t>(JobClass::kSynthesis)] = hours(3);
    CHECK(lifted_job(met.s, met.now) == nullptr);
    Night off = starving(hours(10));
    off.s.policy.floor_percent = 0;
    CHECK(lifted_job(off.s, off.now) == nullptr);
    CHECK(starts(off.plan(), 1));
    Night idle = starving(hours(10));
    idle.s.gpu_time = {};
    CHECK(lifted_job(idle.s, idle.now) == nullptr);
}

TEST_CASE("floor: no gate opens by it") {
    Night night = starving(hours(10));
    night.s.policy.of(JobClass::kSynthesis).only_when_idle = {JobClass::kTraining};
    const Plan plan = night.plan();
    CHECK(starts(plan, 1));
    CHECK(gate_of(plan, 2, "only_when_idle") != nullptr);
}

TEST_CASE("floor: a job that came in by it is safe from training until its class has its share") {
    Night night;
    night.s.gpu_time[static_cast<std::size_t>(JobClass::kTraining)] = hours(20);
    night.run(1, JobClass::kSynthesis, gibibytes(20), minutes(30)).job.eligible_time = hours(3);
    night.wait(2, JobClass::kTraining, gibibytes(20));
    CHECK(night.plan().yields.empty());
    CHECK(gate_of(night.plan(), 2, "protected_victims") != nullptr);
    CHECK(night.plan().next_wakeup == next_floor_step(night.s, night.now));
    // Inference takes it all the same.
    night.wait(3, JobClass::kInference, gibibytes(20));
    CHECK(yields(night.plan(), 1));
    // With its share it is an ordinary job again.
    night.s.candidates[0].clear();
    night.s.gpu_time[static_cast<std::size_t>(JobClass::kSynthesis)] = hours(3);
    CHECK(yields(night.plan(), 1));
}

TEST_CASE("floor: the planner asks to be woken when the floor could lift") {
    Night night = starving(minutes(100));
    night.run(9, JobClass::kTraining, gibibytes(20), hours(2));
    UnixMs at = night.now;
    for (int wakes = 0; wakes < 40 && lifted_job(night.s, at) == nullptr; ++wakes) {
        Night later = night;
        later.now = at;
        const auto next = later.plan().next_wakeup;
        REQUIRE(next.has_value());
        // Between two wake-ups nothing changes.
        if (*next - at > Millis{1}) CHECK(lifted_job(night.s, *next - Millis{1}) == nullptr);
        at = *next;
    }
    CHECK(at - night.now == minutes(45));  // 144 minutes of waiting, at a full step of the clock
}
