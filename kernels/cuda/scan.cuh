#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/buffer.h"
#include "kernels/cuda/launch.cuh"

namespace nightshift::kernels::cuda {

constexpr int kScanThreads = 256;
constexpr int kScanEach = 8;  ///< neighbouring elements of a thread
constexpr int kScanTile = kScanThreads * kScanEach;

/// Sum of `own` of the threads before this one; `total` is that of all. All kScanThreads threads call it.
template <typename T>
__device__ T sum_before_in_block(T own, T& total) {
    constexpr int kWarps = kScanThreads / kWarp;
    __shared__ T of_warps[kWarps];
    const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
    T sum = own;
    for (int step = 1; step < kWarp; step *= 2) {
        const T before = __shfl_up_sync(kWholeWarp, sum, static_cast<unsigned>(step));
        if (lane >= step) sum += before;
    }
    if (lane == kWarp - 1) of_warps[warp] = sum;
    __syncthreads();
    T before = 0;
    total = 0;
    for (int w = 0; w < kWarps; ++w) {
        if (w < warp) before += of_warps[w];
        total += of_warps[w];
    }
    __syncthreads();
    return before + sum - own;
}

/// grid: one block a tile of kScanTile values. values[i] becomes the sum of those before it in its tile,
/// sums[tile] the sum of all of them.
template <typename T>
__global__ void scan_tile(T* values, std::int64_t count, T* sums) {
    const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kScanTile +
                               static_cast<std::int64_t>(threadIdx.x) * kScanEach;
    T own[kScanEach];
    T sum = 0;
    for (int k = 0; k < kScanEach; ++k) {
        own[k] = first + k < count ? values[first + k] : T(0);
        sum += own[k];
    }
    T total;
    T before = sum_before_in_block(sum, total);
    for (int k = 0; k < kScanEach; ++k) {
        if (first + k < count) values[first + k] = before;
        before += own[k];
    }
    if (threadIdx.x == 0) sums[blockIdx.x] = total;
}

/// The same grid. Adds to each tile what lies before it.
template <typename T>
__global__ void add_before_tile(T* values, std::int64_t count, const T* before) {
    const T own = before[blockIdx.x];
    const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kScanTile;
    for (int k = static_cast<int>(threadIdx.x); k < kScanTile; k += kScanThreads) {
        if (first + k < count) values[first + k] += own;
    }
}

/// values[i] becomes the sum of values[0] ... values[i - 1]. Needs 1/2048 of their bytes besides. At most
/// 2^31 tiles.
template <typename T>
void scan(const Op& op, T* values, std::int64_t count) {
    if (count == 0) return;
    const unsigned tiles = blocks_for(count, kScanTile);
    Buffer<T> sums(op.backend(), tiles, "sums of tiles");
    launch(op, "scan_tile", tiles, kScanThreads, 0, scan_tile<T>, values, count, sums.data());
    if (tiles == 1) return;
    scan(op, sums.data(), static_cast<std::int64_t>(tiles));
    launch(op, "add_before_tile", tiles, kScanThreads, 0, add_before_tile<T>, values, count, sums.data());
}

}  // namespace nightshift::kernels::cuda
