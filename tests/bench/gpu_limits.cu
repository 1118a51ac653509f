#include "tests/bench/gpu_limits.h"

#include <cuda_fp16.h>
#include <mma.h>

#include <algorithm>
#include <cstdint>

#include "kernels/buffer.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/launch_times.h"

namespace nightshift::bench {
namespace {

using namespace kernels;
using namespace kernels::cuda;

constexpr int kThreads = 256;
constexpr int kChains = 8;  ///< sums of a thread that do not wait for each other
constexpr int kRuns = 5;

__global__ void copy_all(const float4* from, float4* to, std::int64_t count) {
    for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < count;
         i += static_cast<std::int64_t>(gridDim.x) * kThreads)
        to[i] = from[i];
}

template <typename T>
__global__ void multiply_add(int rounds, T factor, T* out) {
    T sums[kChains];
#pragma unroll
    for (int c = 0; c < kChains; ++c) sums[c] = static_cast<T>(threadIdx.x + c);
    for (int r = 0; r < rounds; ++r) {
#pragma unroll
        for (int c = 0; c < kChains; ++c) sums[c] = fma(sums[c], factor, factor);
    }
    T sum = 0;
#pragma unroll
    for (int c = 0; c < kChains; ++c) sum += sums[c];
    out[static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x] = sum;
}

__global__ void multiply_tiles(int rounds, float* out) {
    namespace wmma = nvcuda::wmma;
    __shared__ __align__(32) half values[256];
    for (int i = static_cast<int>(threadIdx.x); i < 256; i += kThreads) values[i] = __float2half_rn(1e-3F);
    __syncthreads();
    wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> a;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::col_major> b;
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> sums[4];
    wmma::load_matrix_sync(a, values, 16);
    wmma::load_matrix_sync(b, values, 16);
    for (auto& sum : sums) wmma::fill_fragment(sum, 0.0F);
    for (int r = 0; r < rounds; ++r) {
#pragma unroll
        for (int c = 0; c < 4; ++c) wmma::mma_sync(sums[c], a, b, sums[c]);
    }
    float* const own = out + (static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x) / kWarp * 256;
    for (const auto& sum : sums) wmma::store_matrix_sync(own, sum, 16, wmma::mem_row_major);
}

/// The least that one launch of `work` took, after one to warm up.
template <typename Work>
double least_seconds(Backend& backend, const Work& work) {
    double least = 1e300;
    for (int run = 0; run <= kRuns; ++run) {
        launch_times(backend);
        work();
        for (const LaunchTime& time : launch_times(backend)) {
            if (run > 0) least = std::min(least, time.seconds);
        }
    }
    return least;
}

}  // namespace

GpuLimits gpu_limits(Backend& backend, double share) {
    const Op op(backend, "gpu_limits", "");
    const auto blocks = static_cast<unsigned>(std::max(1.0, share * backend.info().multiprocessors * 32));
    const int rounds = std::max(1, static_cast<int>(share * 4096));
    const auto values = static_cast<std::int64_t>(share * (std::int64_t{32} << 20)) + 1;
    time_launches(backend, true);
    GpuLimits limits;
    {
        Buffer<float4> from(backend, static_cast<std::size_t>(values), "limits.copy");
        Buffer<float4> to(backend, static_cast<std::size_t>(values), "limits.copy");
        op.fill(from.data(), 0, sizeof(float4) * from.size());
        limits.bytes =
            2.0 * sizeof(float4) * static_cast<double>(values) / least_seconds(backend, [&] {
                launch(op, "copy_all", blocks, kThreads, 0, copy_all, from.data(), to.data(), values);
            });
    }
    const double threads = static_cast<double>(blocks) * kThreads;
    Buffer<double> out(backend, static_cast<std::size_t>(threads), "limits.sums");
    Buffer<float> narrow(backend, static_cast<std::size_t>(threads / kWarp * 256), "limits.sums");
    const double operations = threads * rounds * kChains * 2;
    limits.fp32 =
        operations / least_seconds(backend, [&] {
            launch(op, "fp32", blocks, kThreads, 0, multiply_add<float>, rounds, 0.999F, narrow.data());
        });
    limits.fp64 =
        operations / least_seconds(backend, [&] {
            launch(op, "fp64", blocks, kThreads, 0, multiply_add<double>, rounds, 0.999, out.data());
        });
    limits.half = threads / kWarp * rounds * 4 * 2 * 4096 / least_seconds(backend, [&] {
                      launch(op, "half", blocks, kThreads, 0, multiply_tiles, rounds, narrow.data());
                  });
    time_launches(backend, false);
    launch_times(backend);
    return limits;
}

}  // namespace nightshift::bench
