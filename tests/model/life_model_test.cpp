// The state machine against a second telling of it: random nights, every observable after every command.
#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/model/life_driver.h"
#include "tests/support/seed.h"

using namespace nightshift::tests;

namespace {

constexpr int kNightCommands = 200;

int steps_wanted() {
    const char* text = std::getenv("NIGHTSHIFT_MODEL_STEPS");
    return text == nullptr ? 100'000 : std::atoi(text);
}

}  // namespace

TEST_CASE("model: the store and the daemon's rules live every night as the model does") {
    const int nights = (steps_wanted() + kNightCommands - 1) / kNightCommands;
    REQUIRE(nights > 0);
    for (int night = 0; night < nights; ++night) {
        const auto commands = random_commands(seed() + static_cast<std::uint64_t>(night), kNightCommands);
        const std::string differs = play(commands);
        if (differs.empty()) continue;
        const auto fewest = shrink(commands);
        FAIL("seed " << seed() << ", night " << night << ": " << differs << "\nshortest: " << play(fewest)
                     << "\n"
                     << text_of(fewest));
    }
}

TEST_CASE("model: a difference is found and shrinks to the commands that it needs") {
    for (std::uint64_t night = 0; night < 50; ++night) {
        const auto commands = random_commands(seed() + night, kNightCommands);
        if (play(commands, true).empty()) continue;
        const auto fewest = shrink(commands, true);
        CAPTURE(text_of(fewest));
        CHECK(fewest.size() == 3);  // submit, grant, exit
        CHECK_FALSE(play(fewest, true).empty());
        CHECK(play(fewest).empty());
        return;
    }
    FAIL("fifty nights noticed nothing");
}
