#include <algorithm>
#include <string>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/tiles.cuh"
#include "kernels/histogram.h"

namespace nightshift::kernels {
namespace {

/// As atomicAdd takes it.
using Count = unsigned long long;

constexpr int kLevels = 256;
/// Counts that a block keeps for itself; histograms of more bins are counted in global memory at once.
constexpr int kOwnMax = 4096;

/// Adds the levels' numbers to counts [256]. A block counts in its shared memory first, where threads that
/// meet wait less; whole numbers come out the same in any order. A part has fewer than 2^32 levels.
__global__ void count_levels(const std::uint8_t* levels, std::int64_t count, Count* counts) {
    __shared__ unsigned own[kLevels];
    for (int level = static_cast<int>(threadIdx.x); level < kLevels; level += static_cast<int>(blockDim.x))
        own[level] = 0;
    __syncthreads();
    for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
         i += static_cast<std::int64_t>(gridDim.x) * blockDim.x)
        atomicAdd(&own[levels[i]], 1U);
    __syncthreads();
    for (int level = static_cast<int>(threadIdx.x); level < kLevels; level += static_cast<int>(blockDim.x)) {
        if (own[level] != 0) atomicAdd(&counts[level], static_cast<Count>(own[level]));
    }
}

/// Adds the values' numbers to counts [bins + 3]: the bins, then below, above and no numbers. As above.
__global__ void count_values(const float* values, std::int64_t count, BinGuess guess, float high,
                             const float* edges, Count* counts) {
    __shared__ unsigned own[kOwnMax];
    const int places = guess.bins + 3;
    const bool has_own = places <= kOwnMax;
    for (int place = static_cast<int>(threadIdx.x); has_own && place < places;
         place += static_cast<int>(blockDim.x))
        own[place] = 0;
    __syncthreads();
    for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
         i += static_cast<std::int64_t>(gridDim.x) * blockDim.x) {
        const float value = values[i];
        int place = guess.bins + 2;
        if (value < guess.low)
            place = guess.bins;
        else if (value > high)
            place = guess.bins + 1;
        else if (value == value)
            place = settled_bin(value, edges, guess.bins, guessed_bin(value, guess));
        if (has_own)
            atomicAdd(&own[place], 1U);
        else
            atomicAdd(&counts[place], Count{1});
    }
    __syncthreads();
    for (int place = static_cast<int>(threadIdx.x); has_own && place < places;
         place += static_cast<int>(blockDim.x)) {
        if (own[place] != 0) atomicAdd(&counts[place], static_cast<Count>(own[place]));
    }
}

template <typename T>
std::string words(const TensorView<const T, 2>& in) {
    return "in [" + std::to_string(in.shape[0]) + ", " + std::to_string(in.shape[1]) + "]";
}

/// Counts of the whole view; launch(buffer, count, counts) adds those of a part.
template <typename T, typename Launch>
std::vector<Count> count_parts(const cuda::Op& op, const TensorView<const T, 2>& in, std::size_t places,
                               const Launch& launch) {
    Backend& backend = op.backend();
    Buffer<Count> counts(backend, places, "histogram.counts");
    op.fill(counts.data(), 0, places * sizeof(Count));
    const std::int64_t together = cuda::rows_of_tile(backend, 0, sizeof(T), element_count(in), 1);
    Buffer<T> part(backend, static_cast<std::size_t>(together), "histogram.values");
    cuda::for_each_part(in, together, [&](const TensorView<const T, 2>& view) {
        cuda::upload_view(view, part);
        launch(part, element_count(view), counts);
    });
    return counts.to_host();
}

}  // namespace

ByteCounts byte_histogram_cuda(Backend& backend, const TensorView<const std::uint8_t, 2>& in) {
    check_view("histogram: input", in);
    ByteCounts out{};
    if (element_count(in) == 0) return out;
    const cuda::Op op(backend, "byte_histogram", words(in));
    const std::vector<Count> counts = count_parts(
        op, in, out.size(), [&](Buffer<std::uint8_t>& part, std::int64_t count, Buffer<Count>& sums) {
            cuda::launch(op, "count_levels", cuda::free_blocks(count), cuda::kFreeThreads, 0, count_levels,
                         part.data(), count, sums.data());
        });
    std::copy(counts.begin(), counts.end(), out.begin());
    return out;
}

ValueCounts value_histogram_cuda(Backend& backend, const TensorView<const float, 2>& in,
                                 const BinRange& range) {
    check_view("histogram: input", in);
    ValueCounts out;
    out.edges = bin_edges(range);
    out.counts.resize(static_cast<std::size_t>(range.bins));
    if (element_count(in) == 0) return out;
    const cuda::Op op(backend, "value_histogram", words(in) + ", bins " + std::to_string(range.bins));
    const Buffer<float> edges(backend, std::span<const float>(out.edges), "histogram.edges");
    const std::vector<Count> counts = count_parts(
        op, in, out.counts.size() + 3, [&](Buffer<float>& part, std::int64_t count, Buffer<Count>& sums) {
            cuda::launch(op, "count_values", cuda::free_blocks(count), cuda::kFreeThreads, 0, count_values,
                         part.data(), count, bin_guess(range), range.high, edges.data(), sums.data());
        });
    const auto outside = counts.begin() + range.bins;
    std::copy(counts.begin(), outside, out.counts.begin());
    out.below = static_cast<std::int64_t>(outside[0]);
    out.above = static_cast<std::int64_t>(outside[1]);
    out.not_numbers = static_cast<std::int64_t>(outside[2]);
    return out;
}

}  // namespace nightshift::kernels
