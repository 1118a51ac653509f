#pragma once

#include "kernels/cuda/launch.cuh"

/// Sums and largest numbers of a warp and of a block of kFeatureThreads, in an order that is the same in
/// every run.
namespace nightshift::kernels::cuda {

constexpr int kFeatureThreads = 256;
constexpr int kFeatureWarps = kFeatureThreads / kWarp;

/// Of all lanes, for all lanes.
__device__ inline double warp_sum(double own) {
    for (int step = kWarp / 2; step > 0; step /= 2) own += __shfl_xor_sync(kWholeWarp, own, step);
    return own;
}
template <typename Number>
__device__ inline Number warp_most(Number own) {
    for (int step = kWarp / 2; step > 0; step /= 2) {
        const Number other = __shfl_xor_sync(kWholeWarp, own, step);
        own = own < other ? other : own;
    }
    return own;
}

/// Sums of all threads' numbers, for all of them. A barrier before and after.
template <int kCount>
__device__ inline void block_sums(double (&own)[kCount]) {
    __shared__ double room[kFeatureWarps * kCount];
    const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
    for (int i = 0; i < kCount; ++i) {
        own[i] = warp_sum(own[i]);
        if (lane == 0) room[warp * kCount + i] = own[i];
    }
    __syncthreads();
    for (int i = 0; i < kCount; ++i) {
        own[i] = room[i];
        for (int w = 1; w < kFeatureWarps; ++w) own[i] += room[w * kCount + i];
    }
    __syncthreads();
}

/// The largest of all threads' numbers, for all of them; what is no number is passed over.
template <int kCount>
__device__ inline void block_most(double (&own)[kCount]) {
    __shared__ double room[kFeatureWarps * kCount];
    const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
    for (int i = 0; i < kCount; ++i) {
        own[i] = warp_most(own[i]);
        if (lane == 0) room[warp * kCount + i] = own[i];
    }
    __syncthreads();
    for (int i = 0; i < kCount; ++i) {
        own[i] = room[i];
        for (int w = 1; w < kFeatureWarps; ++w)
            own[i] = own[i] < room[w * kCount + i] ? room[w * kCount + i] : own[i];
    }
    __syncthreads();
}

}  // namespace nightshift::kernels::cuda
