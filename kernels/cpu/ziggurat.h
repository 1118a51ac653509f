#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace nightshift::kernels {

inline constexpr std::size_t kZigguratStrips = 256;
/// Where the last strip ends and the tail begins.
inline constexpr double kZigguratEnd = 3.6541528853610088;

/// The half normal curve cut into strips of equal area; strip 0 is the one with the tail.
struct Ziggurat {
    std::array<double, 2 * kZigguratStrips> width;      ///< of a strip, / 2^52; then all of them below 0
    std::array<double, kZigguratStrips> height;         ///< of the curve at that width
    std::array<std::uint64_t, kZigguratStrips> inside;  ///< below it no test is needed, of 2^52
};

/// Made once, at the first call; any thread. Its recursion is worked out with twice the digits of a double
/// and rounded once, so that it is the same on every machine.
const Ziggurat& ziggurat();

}  // namespace nightshift::kernels
