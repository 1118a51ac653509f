#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/buffer.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/scan.cuh"

namespace nightshift::kernels::cuda {

constexpr int kSortThreads = 256, kSortWarps = kSortThreads / kWarp;
constexpr int kSortRounds = 16;  ///< keys of a thread
constexpr int kSortTile = kSortThreads * kSortRounds;
constexpr int kDigits = 8, kDigitValues = 256;
static_assert(kSortThreads == kDigitValues, "a thread looks after a value");

/// Keys with a byte each, and room for as many.
struct SortedKeys {
    Buffer<std::uint64_t> keys;
    Buffer<std::uint8_t> bytes;
};

__device__ inline int digit_of(std::uint64_t key, int digit) {
    return static_cast<int>(key >> (8 * digit) & 0xff);
}

/// How often each digit has each value, added to counts [kDigits, kDigitValues]. Any grid.
template <typename Key>
__global__ void count_all_digits(const Key* keys, std::int64_t count, unsigned* counts) {
    __shared__ unsigned own[kDigits * kDigitValues];
    for (int k = static_cast<int>(threadIdx.x); k < kDigits * kDigitValues; k += kSortThreads) own[k] = 0;
    __syncthreads();
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kSortThreads;
    for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kSortThreads + threadIdx.x; i < count;
         i += step) {
        for (int d = 0; d < kDigits; ++d) atomicAdd(own + d * kDigitValues + digit_of(keys[i], d), 1u);
    }
    __syncthreads();
    for (int k = static_cast<int>(threadIdx.x); k < kDigits * kDigitValues; k += kSortThreads) {
        if (own[k] != 0) atomicAdd(counts + k, own[k]);
    }
}

/// grid: one block a tile. counts [kDigitValues, tiles]: how often the tile has each value of the digit.
template <typename Key>
__global__ void count_digit(const Key* keys, std::int64_t count, int digit, unsigned* counts) {
    __shared__ unsigned own[kDigitValues];
    own[threadIdx.x] = 0;
    __syncthreads();
    const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kSortTile;
    for (int k = static_cast<int>(threadIdx.x); k < kSortTile && first + k < count; k += kSortThreads)
        atomicAdd(own + digit_of(keys[first + k], digit), 1u);
    __syncthreads();
    counts[static_cast<std::int64_t>(threadIdx.x) * gridDim.x + blockIdx.x] = own[threadIdx.x];
}

/// The same grid. places [kDigitValues, tiles]: where the tile's first key with each value goes. A warp takes
/// neighbouring keys, 32 in a round, so that equal ones keep their order.
template <typename Key>
__global__ void move_by_digit(const Key* keys, const std::uint8_t* bytes, std::int64_t count, int digit,
                              const unsigned* places, Key* keys_out, std::uint8_t* bytes_out) {
    __shared__ unsigned next[kSortWarps][kDigitValues];
    const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
    for (int w = 0; w < kSortWarps; ++w) next[w][threadIdx.x] = 0;
    __syncthreads();
    const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kSortTile +
                               static_cast<std::int64_t>(warp) * kWarp * kSortRounds + lane;
    for (int round = 0; round < kSortRounds; ++round) {
        const std::int64_t i = first + round * kWarp;
        if (i < count) atomicAdd(&next[warp][digit_of(keys[i], digit)], 1u);
    }
    __syncthreads();
    unsigned place = places[static_cast<std::int64_t>(threadIdx.x) * gridDim.x + blockIdx.x];
    for (int w = 0; w < kSortWarps; ++w) {
        const unsigned of_warp = next[w][threadIdx.x];
        next[w][threadIdx.x] = place;
        place += of_warp;
    }
    __syncthreads();
    for (int round = 0; round < kSortRounds; ++round) {
        const std::int64_t i = first + round * kWarp;
        const bool has_key = i < count;
        const Key key = has_key ? keys[i] : Key(0);
        const int value = digit_of(key, digit);
        // Lanes of the same value: those that agree on each of its bits.
        unsigned alike = __ballot_sync(kWholeWarp, has_key ? 1 : 0);
        for (int bit = 0; bit < 8; ++bit) {
            const unsigned votes = __ballot_sync(kWholeWarp, value >> bit & 1);
            alike &= (value >> bit & 1) != 0 ? votes : ~votes;
        }
        const unsigned before = alike & ((1u << lane) - 1);
        const unsigned start = has_key ? next[warp][value] : 0;
        __syncwarp();  // every lane has read what the first of its value now moves on
        if (has_key) {
            if (before == 0) next[warp][value] = start + static_cast<unsigned>(__popc(alike));
            const unsigned to = start + static_cast<unsigned>(__popc(before));
            keys_out[to] = key;
            bytes_out[to] = bytes[i];
        }
        __syncwarp();
    }
}

/// Sorts `count` keys so that they rise, each with its byte; equal keys keep their order. At most 2^31 keys.
/// Digits that all keys share are passed over. Needs 9 bytes a key and 1/4 besides.
inline void sort_keys(const Op& op, SortedKeys& own, std::int64_t count) {
    const unsigned tiles = blocks_for(count, kSortTile);
    Buffer<unsigned> all(op.backend(), kDigits * kDigitValues, "sort.counts");
    op.fill(all.data(), 0, all.size() * sizeof(unsigned));
    const unsigned blocks = std::min(tiles, static_cast<unsigned>(op.backend().info().multiprocessors) * 8);
    launch(op, "count_all_digits", blocks, kSortThreads, 0, count_all_digits<std::uint64_t>, own.keys.data(),
           count, all.data());
    const std::vector<unsigned> counts = all.to_host();
    SortedKeys spare{Buffer<std::uint64_t>(op.backend(), own.keys.size(), "sort.keys"),
                     Buffer<std::uint8_t>(op.backend(), own.bytes.size(), "sort.bytes")};
    Buffer<unsigned> places(op.backend(), std::size_t{tiles} * kDigitValues, "sort.places");
    for (int digit = 0; digit < kDigits; ++digit) {
        const auto* const values = counts.data() + digit * kDigitValues;
        if (std::find(values, values + kDigitValues, static_cast<unsigned>(count)) != values + kDigitValues)
            continue;
        launch(op, "count_digit", tiles, kSortThreads, 0, count_digit<std::uint64_t>, own.keys.data(), count,
               digit, places.data());
        scan(op, places.data(), static_cast<std::int64_t>(places.size()));
        launch(op, "move_by_digit", tiles, kSortThreads, 0, move_by_digit<std::uint64_t>, own.keys.data(),
               own.bytes.data(), count, digit, places.data(), spare.keys.data(), spare.bytes.data());
        std::swap(own, spare);
    }
}

}  // namespace nightshift::kernels::cuda
