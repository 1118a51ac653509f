#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "tests/support/random_night.h"
#include "tests/support/seed.h"

namespace nightshift::tests {

/// Snapshots that a property is tried on: 20,000; NIGHTSHIFT_NIGHTS asks for fewer where only the rules' own
/// tests matter (the mutation check), or for more when there is time.
int nights();

std::map<std::int64_t, Job> candidates_of(const Snapshot& s);
/// What the plan decides and the codes of all gates: equal texts, equal plans.
std::string text_of(const Plan& plan);

template <typename Check>
void for_each_night(const RandomNightOptions& options, int count, Check check) {
    for (int i = 0; i < count; ++i) {
        const auto seed = nightshift::tests::seed() + static_cast<std::uint64_t>(i);
        const Night night = random_night(seed, options);
        INFO("night seed ", seed);
        check(night);
    }
}

}  // namespace nightshift::tests
