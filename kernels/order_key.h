#pragma once

#include <bit>
#include <cstdint>

#include "kernels/philox.h"

namespace nightshift::kernels {

/// Floats as whole numbers that sort the other way: the largest float has the least key, -0 that of 0, and
/// every NaN the greatest, so it comes after all numbers.
NIGHTSHIFT_HD inline std::uint32_t falling_key(float value) {
    if (value != value) return 0xffffffffu;
    const auto bits = std::bit_cast<std::uint32_t>(value + 0.0F);  // -0 + 0 is 0
    return (bits & 0x80000000u) != 0 ? bits : bits ^ 0x7fffffffu;
}

/// The float of a key; a quiet NaN for the greatest.
NIGHTSHIFT_HD inline float float_of_falling_key(std::uint32_t key) {
    return std::bit_cast<float>((key & 0x80000000u) != 0 ? key : key ^ 0x7fffffffu);
}

/// Sorts by value, falling, and then by index, rising: no two entries are equal.
NIGHTSHIFT_HD inline std::uint64_t falling_entry(float value, std::uint32_t index) {
    return std::uint64_t{falling_key(value)} << 32 | index;
}

}  // namespace nightshift::kernels
