#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

/// IEEE 754's binary16, as much of it as the kernels use. Part of the emulation.
struct half {
    std::uint16_t bits;
};

/// To the nearest, halves to even; beyond 65,504 infinite.
inline half __float2half_rn(float value) {
    const std::uint32_t word = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>(word >> 16 & 0x8000u);
    const float size = std::fabs(value);
    if (size != size) return {static_cast<std::uint16_t>(sign | 0x7e00u)};
    if (size >= 65520.0F) return {static_cast<std::uint16_t>(sign | 0x7c00u)};
    if (size == 0) return {sign};
    int exponent = 0;
    std::frexp(size, &exponent);
    // The step of this size's numbers; below 2^-14 they have one step.
    const int step = (exponent < -13 ? -13 : exponent) - 11;
    const auto steps = static_cast<std::uint32_t>(std::nearbyint(std::ldexp(size, -step)));
    // `steps` has 11 bits where the number is normal, and a carry goes into the exponent by itself.
    const std::uint32_t biased = static_cast<std::uint32_t>(step + 24) << 10;
    return {static_cast<std::uint16_t>(sign | (biased + steps))};
}

inline float __half2float(half value) {
    const int exponent = value.bits >> 10 & 31;
    const int fraction = value.bits & 1023;
    const float sign = (value.bits & 0x8000u) != 0 ? -1.0F : 1.0F;
    if (exponent == 31) return fraction != 0 ? std::nanf("") : sign * INFINITY;
    if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
    return sign * std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
}
