// The emulation itself: what it promises to the tests that run on it.
#include <cuda_fp16.h>
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/buffer.h"
#include "kernels/cuda/graph.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/error.h"

using namespace nightshift::kernels;
using nightshift::kernels::cuda::Op;

namespace {

constexpr int kThreads = 96;

/// Needs the barrier: each thread reads what another wrote.
__global__ void turn_round(const int* in, int* out, int count) {
    __shared__ int values[kThreads];
    const int t = static_cast<int>(threadIdx.x), at = static_cast<int>(blockIdx.x) * kThreads + t;
    values[t] = at < count ? in[at] : -1;
    __syncthreads();
    if (at < count) out[at] = values[kThreads - 1 - t];
}

__global__ void sum_of_warps(int* out) {
    int sum = static_cast<int>(threadIdx.x);
    for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
    const unsigned odd = __ballot_sync(0xffffffffu, static_cast<int>(threadIdx.x % 2));
    if (threadIdx.x % 32 == 0) out[threadIdx.x / 32] = odd == 0xaaaaaaaau ? sum : -1;
    atomicAdd(out + 3, 1);
}

/// Each block needs what all blocks wrote before.
__global__ void sum_of_blocks(int* counts, int* out) {
    auto* const own = cuda::shared_memory<int>();
    own[threadIdx.x] = static_cast<int>(blockIdx.x) + 1;
    __syncthreads();
    if (threadIdx.x == 0) counts[blockIdx.x] = own[blockDim.x - 1];
    cuda::grid_barrier();
    if (threadIdx.x == 0) {
        int sum = 0;
        for (unsigned b = 0; b < gridDim.x; ++b) sum += counts[b];
        out[blockIdx.x] = sum;
    }
}

/// What was never written: shared memory here, device memory in `given`.
__global__ void find_unset(const float* given, int* found) {
    const auto* const shared = cuda::shared_memory<float>();
    if (shared[threadIdx.x] != shared[threadIdx.x]) atomicAdd(found, 1);
    if (given[threadIdx.x] != given[threadIdx.x]) atomicAdd(found + 1, 1);
}

}  // namespace

TEST_CASE("emulator: threads of a block meet at its barrier") {
    const auto backend = make_cuda_backend(1 << 20);
    std::vector<int> in(kThreads * 2);
    std::iota(in.begin(), in.end(), 0);
    const Op op(*backend, "test", "");
    const Buffer<int> from(*backend, in, "in");
    Buffer<int> to(*backend, in.size(), "out");
    cuda::launch(op, "turn_round", 2, kThreads, 0, turn_round, from.data(), to.data(),
                 static_cast<int>(in.size()));
    const std::vector<int> out = to.to_host();
    for (int i = 0; i < kThreads; ++i) {
        CHECK(out[static_cast<std::size_t>(i)] == kThreads - 1 - i);
        CHECK(out[static_cast<std::size_t>(kThreads + i)] == 2 * kThreads - 1 - i);
    }
}

TEST_CASE("emulator: lanes of a warp exchange words, atomics count") {
    const auto backend = make_cuda_backend(1 << 20);
    const Op op(*backend, "test", "");
    Buffer<int> out(*backend, std::vector<int>(4), "out");
    cuda::launch(op, "sum_of_warps", 1, kThreads, 0, sum_of_warps, out.data());
    CHECK(out.to_host() == std::vector<int>{496, 496 + 32 * 32, 496 + 64 * 32, kThreads});
}

TEST_CASE("emulator: blocks of a grid meet at its barrier") {
    const auto backend = make_cuda_backend(1 << 20);
    const Op op(*backend, "test", "");
    Buffer<int> counts(*backend, 4, "counts"), out(*backend, 4, "out");
    cuda::launch_together(op, "sum_of_blocks", 4, 64, 64 * sizeof(int), sum_of_blocks, counts.data(),
                          out.data());
    CHECK(out.to_host() == std::vector<int>(4, 10));
    CHECK_THROWS_AS(cuda::launch_together(op, "sum_of_blocks", 5, 64, 64 * sizeof(int), sum_of_blocks,
                                          counts.data(), out.data()),
                    DeviceError);
}

TEST_CASE("emulator: memory that was never set holds no numbers") {
    const auto backend = make_cuda_backend(1 << 20);
    const Op op(*backend, "test", "");
    const Buffer<float> given(*backend, 32, "given");
    Buffer<int> found(*backend, std::vector<int>(2), "found");
    cuda::launch(op, "find_unset", 1, 32, 32 * sizeof(float), find_unset, given.data(), found.data());
    CHECK(found.to_host() == std::vector<int>{32, 32});
}

TEST_CASE("emulator: half precision is IEEE 754's binary16") {
    // Every number that is one comes back; between two neighbours the nearest, halves to the even one.
    for (std::uint32_t bits = 0; bits < 0x7c00; ++bits) {
        const float value = __half2float({static_cast<std::uint16_t>(bits)});
        REQUIRE(__float2half_rn(value).bits == bits);
        REQUIRE(__float2half_rn(-value).bits == (bits | 0x8000));
        if (bits == 0x7bff) break;
        const float next = __half2float({static_cast<std::uint16_t>(bits + 1)}), middle = (value + next) / 2;
        REQUIRE(__float2half_rn(middle).bits == bits + (bits & 1));
        REQUIRE(__float2half_rn(std::nextafter(middle, 0.0F)).bits == bits);
    }
    CHECK(__half2float({0x3c00}) == 1.0F);
    CHECK(__half2float({0x0001}) == 0x1p-24F);
    CHECK(__half2float({0x7bff}) == 65504.0F);
    CHECK(__float2half_rn(65520.0F).bits == 0x7c00);
    CHECK(std::isnan(__half2float(__float2half_rn(std::nanf("")))));
}

TEST_CASE("launch times: each launch once, graphs as one, and nothing that was not asked for") {
    const auto backend = make_cuda_backend(1 << 20);
    const Op op(*backend, "test", "");
    Buffer<int> out(*backend, std::vector<int>(4), "out");
    const auto launch = [&] { cuda::launch(op, "sum_of_warps", 1, 32, 0, sum_of_warps, out.data()); };
    launch();
    CHECK(launch_times(*backend).empty());
    time_launches(*backend, true);
    for (int i = 0; i < 3; ++i) launch();
    cuda::Graph graph;
    graph.record(op, launch);
    graph.launch(op);
    time_launches(*backend, false);
    launch();
    const std::vector<LaunchTime> times = launch_times(*backend);
    REQUIRE(times.size() == 2);
    CHECK(times[0].kernel == "graph");
    CHECK(times[0].launches == 1);
    CHECK(times[1].kernel == "sum_of_warps");
    CHECK(times[1].launches == 3);
    CHECK(times[1].seconds > 0);
    CHECK(launch_times(*backend).empty());
    CHECK(launch_times(*make_cpu_backend(1)).empty());
}

TEST_CASE("emulator: launches that no device takes are refused with the op's name") {
    const auto backend = make_cuda_backend(1 << 20);
    const Op op(*backend, "turn", "of nothing");
    const auto words = [&](dim3 grid, dim3 block, std::size_t shared) -> std::string {
        try {
            cuda::launch(op, "turn_round", grid, block, shared, turn_round, nullptr, nullptr, 0);
        } catch (const DeviceError& error) {
            return error.what();
        }
        return "no error";
    };
    CHECK(words(1, 2048, 0).rfind("turn (of nothing): turn_round: cudaErrorInvalidConfiguration", 0) == 0);
    CHECK(words(dim3(1, 70'000), 32, 0) != "no error");
    CHECK(words(0, 32, 0) != "no error");
    CHECK(words(1, 32, 1 << 20) != "no error");
    CHECK_THROWS_AS(Op(*make_cpu_backend(1), "turn", ""), std::invalid_argument);
}
