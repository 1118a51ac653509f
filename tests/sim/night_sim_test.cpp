#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/sim/sim_world.h"
#include "tests/support/seed.h"

using namespace nightshift;
using namespace nightshift::tests;

TEST_CASE("sim: hundreds of nights keep every promise, and every job comes to its end") {
    const char* wish = std::getenv("NIGHTSHIFT_SIM_NIGHTS");  // more of them when there is time
    const int nights = wish != nullptr ? std::atoi(wish) : 100;
    std::int64_t attempts = 0;
    std::int64_t preemptions = 0;
    std::int64_t fires = 0;
    Millis inference_wait;
    for (int i = 0; i < nights; ++i) {
        SimWorld world(seed() + static_cast<std::uint64_t>(i));
        REQUIRE_NOTHROW(world.run_night(14));
        REQUIRE_NOTHROW(world.drain(10));
        attempts += world.attempts();
        preemptions += world.preemptions();
        fires += world.fires();
        inference_wait = std::max(inference_wait, world.inference_wait_max());
    }
    // The nights are busy enough to mean something.
    CHECK(attempts > nights * 20);
    CHECK(preemptions > nights);
    CHECK(fires > nights);
    // One round is another job's preemption, the hysteresis, the grace time, the kill, and memory that
    // comes back late: about three minutes. Other programs may take what was freed, for a few rounds.
    CHECK(inference_wait <= minutes(10));
    MESSAGE("attempts ", attempts, ", preemptions ", preemptions, ", fires ", fires,
            ", longest wait of inference ", format_duration(inference_wait));
}

TEST_CASE("sim: the same seed gives the same night") {
    SimWorld first(seed());
    SimWorld second(seed());
    first.run_night(10);
    second.run_night(10);
    CHECK(first.attempts() == second.attempts());
    CHECK(first.preemptions() == second.preemptions());
    CHECK(first.jobs() == second.jobs());
}
