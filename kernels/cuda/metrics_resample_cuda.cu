#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/cpu/score_keys.h"
#include "kernels/cuda/scan.cuh"
#include "kernels/philox.h"

namespace nightshift::kernels {

namespace {

using namespace cuda;

constexpr std::size_t kScratchBytesMax = std::size_t{64} << 20;
/// Blocks of a multiprocessor: draws wait for memory most of the time.
constexpr std::size_t kBlocksEach = 8;

/// Rows of a class and their draws.
struct DeviceClass {
    const unsigned* run;  ///< of every row
    unsigned rows, side;
};

struct DeviceStream {
    std::uint64_t key;
    std::uint32_t kind, first;
};

__device__ unsigned run_drawn(const DeviceClass& of, const DeviceStream& stream, std::uint32_t resample,
                              std::uint32_t i) {
    const PhiloxWords words = philox({i, of.side, stream.kind, resample}, stream.key);
    return of.run[static_cast<std::uint64_t>(words.w0) * of.rows >> 32];
}

/// A block of kScanThreads threads takes a resample after the other. weights [blocks, 2, runs] is scratch:
/// counts and gains. out twice [resamples]: what ResampleRows::area() takes. All sums are of integers, so
/// their order does not matter.
__global__ void resample(DeviceClass few, DeviceClass many, DeviceStream stream, std::int64_t runs,
                         std::int64_t resamples, unsigned* weights, unsigned long long* twice) {
    unsigned* const counts = weights + static_cast<std::int64_t>(blockIdx.x) * 2 * runs;
    unsigned* const gains = counts + runs;
    const auto thread = static_cast<unsigned>(threadIdx.x);
    for (std::int64_t r = blockIdx.x; r < resamples; r += gridDim.x) {
        const auto number = static_cast<std::uint32_t>(stream.first + static_cast<std::uint32_t>(r));
        for (std::int64_t k = thread; k < runs; k += kScanThreads) counts[k] = 0;
        __syncthreads();
        for (std::uint32_t i = thread; i < few.rows; i += kScanThreads)
            atomicAdd(counts + run_drawn(few, stream, number, i), 1u);
        __syncthreads();
        unsigned before = 0;
        for (std::int64_t at = 0; at < runs; at += kScanThreads) {
            // Of positives from the largest score on, of negatives from the least.
            const std::int64_t k = few.side == 1 ? at + thread : runs - 1 - at - thread;
            const unsigned own = at + thread < runs ? counts[k] : 0;
            unsigned total;
            const unsigned sum = before + sum_before_in_block(own, total);
            if (at + thread < runs) gains[k] = 2 * sum + own;
            before += total;
        }
        __syncthreads();
        unsigned long long won = 0, all;
        for (std::uint32_t i = thread; i < many.rows; i += kScanThreads)
            won += gains[run_drawn(many, stream, number, i)];
        sum_before_in_block(won, all);
        if (thread == 0) twice[r] = all;
    }
}

}  // namespace

void resampled_areas_cuda(Backend& backend, std::span<const ClassPlaces> scores, const ResampleStream& stream,
                          std::uint32_t first, std::span<double> areas) {
    const Op op(backend, "resampled_areas",
                std::to_string(areas.size()) + " areas of " + std::to_string(scores.size()) + " scores");
    if (scores.empty()) return;
    const ResampleRows rows = resample_rows(scores);
    const std::size_t resamples = areas.size() / scores.size();
    if (resamples == 0) return;
    const unsigned few_side = rows.few_are_positive() ? 1 : 0;
    Buffer<unsigned long long> twice(backend, resamples, "resamples.twice");
    for (std::size_t k = 0; k < scores.size(); ++k) {
        const ResampleRuns runs = resample_runs(scores[k], rows);
        const Buffer<unsigned> few(backend, runs.few, "resamples.few");
        const Buffer<unsigned> many(backend, runs.many, "resamples.many");
        const std::size_t each = 2 * std::size_t{runs.runs} * sizeof(unsigned);
        const std::size_t blocks = std::clamp<std::size_t>(
            std::min(static_cast<std::size_t>(backend.info().multiprocessors) * kBlocksEach,
                     kScratchBytesMax / each),
            1, resamples);
        Buffer<unsigned> weights(backend, blocks * 2 * runs.runs, "resamples.weights");
        launch(op, "resample", static_cast<unsigned>(blocks), kScanThreads, 0, resample,
               DeviceClass{few.data(), static_cast<unsigned>(rows.few()), few_side},
               DeviceClass{many.data(), static_cast<unsigned>(rows.many()), 1 - few_side},
               DeviceStream{stream.key, stream.kind, first}, static_cast<std::int64_t>(runs.runs),
               static_cast<std::int64_t>(resamples), weights.data(), twice.data());
        const std::vector<unsigned long long> sums = twice.to_host();
        for (std::size_t r = 0; r < resamples; ++r) areas[r * scores.size() + k] = rows.area(sums[r]);
    }
}

}  // namespace nightshift::kernels
