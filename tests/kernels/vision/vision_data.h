#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "kernels/philox.h"

namespace nightshift::tests {

/// Levels that look like nothing, the same each time.
inline std::vector<std::uint8_t> some_levels(std::size_t count, std::uint64_t key) {
    std::vector<std::uint8_t> levels(count);
    for (std::size_t i = 0; i < count; ++i)
        levels[i] =
            static_cast<std::uint8_t>(kernels::philox({static_cast<std::uint32_t>(i), 0, 0, 0}, key).w0);
    return levels;
}

/// Values in (low, high).
inline std::vector<float> some_values(std::size_t count, std::uint64_t key, float low = 0, float high = 1) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i)
        values[i] =
            low + (high - low) *
                      kernels::unit_float(kernels::philox({static_cast<std::uint32_t>(i), 0, 0, 1}, key).w0);
    return values;
}

/// NaNs of equal bits are the same, 0 and -0 are not.
inline bool has_same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

}  // namespace nightshift::tests
