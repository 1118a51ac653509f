#pragma once

#include <cstdint>
#include <random>

#include "tests/support/night.h"

namespace nightshift::tests {

/// What a random night may contain.
struct RandomNightOptions {
    bool has_policy = true;  ///< windows, headroom, class limits, only_when_idle
    bool has_faults = true;  ///< pause, drain, unhealthy GPUs, broken dependencies
    bool has_ties = false;   ///< many jobs that their id alone puts in order
};

/// A snapshot that could have come from a real night: what runs was once admitted, so nothing is
/// overcommitted but by other programs. The same seed gives the same night.
Night random_night(std::uint64_t seed, const RandomNightOptions& options = {});

}  // namespace nightshift::tests
