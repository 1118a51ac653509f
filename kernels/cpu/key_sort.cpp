#include "kernels/cpu/key_sort.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace nightshift::kernels {

namespace {

/// Below that many a comparison sort is faster.
constexpr std::size_t kRadixMin = 192;
constexpr std::size_t kDigits = 8, kDigitValues = 256;

}  // namespace

void sort_keys(std::vector<std::uint64_t>& keys, std::vector<std::uint64_t>& spare) {
    if (keys.size() < kRadixMin) return std::sort(keys.begin(), keys.end());
    std::array<std::array<std::uint32_t, kDigitValues>, kDigits> counts{};
    for (const std::uint64_t key : keys) {
        for (std::size_t d = 0; d < kDigits; ++d) ++counts[d][key >> (8 * d) & 0xff];
    }
    spare.resize(keys.size());
    for (std::size_t d = 0; d < kDigits; ++d) {
        auto& places = counts[d];
        if (places[keys.front() >> (8 * d) & 0xff] == keys.size()) continue;
        std::uint32_t before = 0;
        for (std::uint32_t& place : places) {
            const std::uint32_t count = place;
            place = before;
            before += count;
        }
        for (const std::uint64_t key : keys) spare[places[key >> (8 * d) & 0xff]++] = key;
        keys.swap(spare);
    }
}

}  // namespace nightshift::kernels
