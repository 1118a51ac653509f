#include "kernels/coreset.h"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "kernels/cuda/buffer.cuh"
#include "kernels/cuda/check.cuh"

namespace nightshift::kernels {
namespace {

constexpr int kThreads = 256;
constexpr int kBlocks = 512;
/// Picks between two looks at the host.
constexpr std::int64_t kReportEvery = 256;

struct Farthest {
    double squared;
    std::int64_t row;
};

__device__ bool is_farther(const Farthest& a, const Farthest& b) {
    return a.squared > b.squared || (a.squared == b.squared && a.row < b.row);
}

/// Reduces the block's candidates into `shared[0]`.
__device__ void reduce(Farthest* shared) {
    __syncthreads();
    for (int half = kThreads / 2; half > 0; half /= 2) {
        const int t = static_cast<int>(threadIdx.x);
        if (t < half && is_farther(shared[t + half], shared[t])) shared[t] = shared[t + half];
        __syncthreads();
    }
}

/// in  data_t [d, n] (transposed), picks[at] = the newest pick; inout nearest [n] (squared; -1 = picked)
/// out partial [kBlocks], each block's farthest row. Grid-stride over rows, one thread a row.
__global__ void update(const double* data_t, std::int64_t n, int d, const std::int64_t* picks,
                       std::int64_t at, double* nearest, double* remaining, Farthest* partial) {
    __shared__ Farthest shared[kThreads];
    const std::int64_t pick = picks[at];
    Farthest best{-2.0, n};
    for (std::int64_t r = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; r < n;
         r += static_cast<std::int64_t>(gridDim.x) * kThreads) {
        double sum = 0;
        for (int j = 0; j < d; ++j) {
            const double* column = data_t + static_cast<std::int64_t>(j) * n;
            const double difference = column[r] - column[pick];
            sum += difference * difference;
        }
        if (sum < remaining[r]) remaining[r] = sum;
        nearest[r] = r == pick || nearest[r] < 0 ? -1.0 : remaining[r];
        const Farthest own{nearest[r], r};
        if (is_farther(own, best)) best = own;
    }
    shared[threadIdx.x] = best;
    reduce(shared);
    if (threadIdx.x == 0) partial[blockIdx.x] = shared[0];
}

/// The next pick out of the blocks' candidates; one block.
__global__ void choose(const Farthest* partial, std::int64_t at, std::int64_t* picks, double* distances) {
    __shared__ Farthest shared[kThreads];
    Farthest best = partial[threadIdx.x];
    for (int b = static_cast<int>(threadIdx.x) + kThreads; b < kBlocks; b += kThreads) {
        if (is_farther(partial[b], best)) best = partial[b];
    }
    shared[threadIdx.x] = best;
    reduce(shared);
    if (threadIdx.x == 0) {
        picks[at] = shared[0].row;
        distances[at] = sqrt(shared[0].squared);
    }
}

}  // namespace

Coreset greedy_coreset_cuda(Rows<double> data, std::int64_t count, std::int64_t start,
                            const CoresetProgress& progress) {
    const std::int64_t n = data.rows;
    if (count < 1 || count > n || start < 0 || start >= n) {
        throw std::invalid_argument("coreset: count or start does not fit the rows");
    }
    const auto d = static_cast<int>(data.columns);
    std::vector<double> transposed(static_cast<std::size_t>(n * d));
    for (std::int64_t r = 0; r < n; ++r) {
        for (int j = 0; j < d; ++j) transposed[static_cast<std::size_t>(j * n + r)] = data.row(r)[j];
    }
    const std::vector<double> far(static_cast<std::size_t>(n), std::numeric_limits<double>::infinity());
    const cuda::Stream stream;
    cuda::Buffer<double> data_d(transposed.data(), transposed.size());
    cuda::Buffer<double> nearest(far.data(), far.size());
    cuda::Buffer<double> remaining(far.data(), far.size());
    cuda::Buffer<Farthest> partial(kBlocks);
    cuda::Buffer<std::int64_t> picks(static_cast<std::size_t>(count));
    cuda::Buffer<double> distances(static_cast<std::size_t>(count));
    CUDA_CHECK(cudaMemcpy(picks.data(), &start, sizeof start, cudaMemcpyHostToDevice));
    CUDA_CHECK(cudaMemset(distances.data(), 0, sizeof(double)));
    std::int64_t picked = 1;
    for (;; ++picked) {
        update<<<kBlocks, kThreads, 0, stream.get()>>>(data_d.data(), n, d, picks.data(), picked - 1,
                                                       nearest.data(), remaining.data(), partial.data());
        CUDA_CHECK(cudaGetLastError());
        if (picked == count) break;
        if (picked % kReportEvery == 0 && progress) {
            stream.wait();
            if (!progress(picked)) break;
        }
        choose<<<1, kThreads, 0, stream.get()>>>(partial.data(), picked, picks.data(), distances.data());
        CUDA_CHECK(cudaGetLastError());
    }
    stream.wait();
    Coreset out;
    out.picks.resize(static_cast<std::size_t>(picked));
    out.distances.resize(static_cast<std::size_t>(picked));
    out.remaining.resize(static_cast<std::size_t>(n));
    picks.to_host(out.picks.data(), out.picks.size());
    distances.to_host(out.distances.data(), out.distances.size());
    remaining.to_host(out.remaining.data(), out.remaining.size());
    for (double& value : out.remaining) value = std::sqrt(value);
    return out;
}

}  // namespace nightshift::kernels
