#pragma once

#include <cstdint>

namespace nightshift::tests {

/// Seed of this run, printed at its start; the same for every test in the program.
std::uint64_t seed();

}  // namespace nightshift::tests
