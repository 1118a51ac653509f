#include "kernels/coreset.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/buffer.h"
#include "kernels/cpu/coreset_checks.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/transpose.cuh"

namespace nightshift::kernels {
namespace {

constexpr int kThreads = 256;
/// Picks of one launch: the host is told between two, and no kernel runs so long that a display's driver
/// takes it for hung.
constexpr std::int64_t kPicksPerLaunch = 256;

struct Farthest {
    double squared;
    std::int64_t row;
};

/// What stays on the device between launches.
struct State {
    const double* columns;  ///< [d, n]
    std::int64_t n;
    int d;
    double* nearest;        ///< [n] squared distance to the nearest pick
    std::int32_t* owner;    ///< [n] position in picks of that pick
    unsigned char* picked;  ///< [n]
    std::int64_t* picks;    ///< [count]
    double* distances;      ///< [count] squared
    double* to_picks;       ///< [count] squared distances of the newest pick to those before it
    Farthest* farthest;     ///< [blocks]
};

__device__ bool is_farther(const Farthest& a, const Farthest& b) {
    return a.squared > b.squared || (a.squared == b.squared && a.row < b.row);
}

/// The farthest of all threads of the block, for all of them. `room` has one entry a warp.
__device__ Farthest farthest_of_block(Farthest own, Farthest* room) {
    const int thread = static_cast<int>(threadIdx.x);
    for (int step = cuda::kWarp / 2; step > 0; step /= 2) {
        const Farthest other{__shfl_xor_sync(cuda::kWholeWarp, own.squared, step),
                             __shfl_xor_sync(cuda::kWholeWarp, own.row, step)};
        if (is_farther(other, own)) own = other;
    }
    if (thread % cuda::kWarp == 0) room[thread / cuda::kWarp] = own;
    __syncthreads();
    for (int warp = 0; warp < kThreads / cuda::kWarp; ++warp) {
        if (is_farther(room[warp], own)) own = room[warp];
    }
    __syncthreads();
    return own;
}

/// Squared distance of row `r` to `pick` [d], summed as the CPU does, or any value above `limit` once the
/// sum has passed it.
__device__ double squared_distance_below(const State& s, std::int64_t r, const double* pick, double limit) {
    double sums[4] = {0, 0, 0, 0};
    for (int j = 0; j < s.d;) {
        const int end = min(j + kCoresetChunk, s.d);
        for (; j < end; ++j) {
            const double difference = s.columns[static_cast<std::int64_t>(j) * s.n + r] - pick[j];
            sums[j % 4] += difference * difference;
        }
        if ((sums[0] + sums[1]) + (sums[2] + sums[3]) > limit) break;
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// The newest pick is picks[at]; its values into `pick` [d].
__device__ void load_pick(const State& s, std::int64_t at, double* pick) {
    const std::int64_t row = s.picks[at];
    for (int j = static_cast<int>(threadIdx.x); j < s.d; j += kThreads)
        pick[j] = s.columns[static_cast<std::int64_t>(j) * s.n + row];
    __syncthreads();
}

/// Rows take the newest pick where it is nearer; the farthest of the block's rows.
__device__ Farthest update(const State& s, std::int64_t at, const double* pick) {
    Farthest best{-1.0, s.n};
    for (std::int64_t r = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; r < s.n;
         r += static_cast<std::int64_t>(gridDim.x) * kThreads) {
        // |new - row| >= |new - owner| - |owner - row|: nothing to gain where that is >= |owner - row|.
        if (at == 0 || kCoresetSafety * s.to_picks[s.owner[r]] < 4 * s.nearest[r]) {
            const double squared = squared_distance_below(s, r, pick, s.nearest[r]);
            if (squared < s.nearest[r]) {
                s.nearest[r] = squared;
                s.owner[r] = static_cast<std::int32_t>(at);
            }
        }
        const Farthest own{s.nearest[r], r};
        if (s.picked[r] == 0 && is_farther(own, best)) best = own;
    }
    return best;
}

/// One launch for picks [first, last): takes each in, and chooses the next as long as there is one to choose
/// (`count` in all). No host between two picks; two barriers of the grid each. Shared: the pick and a
/// candidate of each warp.
__global__ void pick_rows(State s, std::int64_t first, std::int64_t last, std::int64_t count) {
    auto* const room = cuda::shared_memory<Farthest>();
    auto* const pick = reinterpret_cast<double*>(room + kThreads / cuda::kWarp);
    for (std::int64_t at = first; at < last; ++at) {
        load_pick(s, at, pick);
        const Farthest own = farthest_of_block(update(s, at, pick), room);
        if (threadIdx.x == 0) s.farthest[blockIdx.x] = own;
        cuda::grid_barrier();
        if (at + 1 == count) return;
        Farthest next{-1.0, s.n};
        for (int b = static_cast<int>(threadIdx.x); b < static_cast<int>(gridDim.x); b += kThreads) {
            if (is_farther(s.farthest[b], next)) next = s.farthest[b];
        }
        next = farthest_of_block(next, room);
        if (blockIdx.x == 0 && threadIdx.x == 0) {
            s.picks[at + 1] = next.row;
            s.distances[at + 1] = next.squared;
            s.picked[next.row] = 1;
        }
        // Every block knows the next pick; each measures its share of the earlier ones from it.
        for (int j = static_cast<int>(threadIdx.x); j < s.d; j += kThreads)
            pick[j] = s.columns[static_cast<std::int64_t>(j) * s.n + next.row];
        __syncthreads();
        const double infinity = __longlong_as_double(0x7ff0000000000000LL);
        for (std::int64_t p = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; p <= at;
             p += static_cast<std::int64_t>(gridDim.x) * kThreads)
            s.to_picks[p] = squared_distance_below(s, s.picks[p], pick, infinity);
        cuda::grid_barrier();
    }
}

}  // namespace

Coreset greedy_coreset_cuda(Backend& backend, Rows<double> data, std::int64_t count, std::int64_t start,
                            const CoresetProgress& progress) {
    check_coreset(data, count, start);
    const std::int64_t n = data.rows;
    const auto d = static_cast<int>(data.columns);
    const cuda::Op op(backend, "greedy_coreset",
                      std::to_string(count) + " of [" + std::to_string(n) + ", " + std::to_string(d) + "]");
    const Buffer<double> columns = cuda::columns_on_device(op, data, "coreset.rows");
    const std::vector<double> far(static_cast<std::size_t>(n), std::numeric_limits<double>::infinity());
    Buffer<double> nearest(backend, far, "coreset.distances");
    Buffer<std::int32_t> owner(backend, far.size(), "coreset.distances");
    Buffer<unsigned char> picked(backend, far.size(), "coreset.distances");
    Buffer<std::int64_t> picks(backend, static_cast<std::size_t>(count), "coreset.picks");
    Buffer<double> distances(backend, picks.size(), "coreset.picks");
    Buffer<double> to_picks(backend, picks.size(), "coreset.picks");
    op.fill(owner.data(), 0, sizeof(std::int32_t) * far.size());
    op.fill(picked.data(), 0, far.size());
    op.fill(distances.data(), 0, sizeof(double));
    const unsigned char yes = 1;
    picks.upload({&start, 1});
    picked.upload({&yes, 1}, static_cast<std::size_t>(start));
    const std::size_t shared =
        sizeof(Farthest) * (kThreads / cuda::kWarp) + sizeof(double) * static_cast<std::size_t>(d);
    const unsigned blocks =
        std::min(cuda::blocks_for(n, kThreads), cuda::blocks_together(op, pick_rows, kThreads, shared));
    Buffer<Farthest> farthest(backend, blocks, "coreset.picks");
    const State state{columns.data(),
                      n,
                      d,
                      nearest.data(),
                      owner.data(),
                      picked.data(),
                      picks.data(),
                      distances.data(),
                      to_picks.data(),
                      farthest.data()};
    std::int64_t done = 0;
    while (done < count) {
        const std::int64_t last = std::min(done + kPicksPerLaunch, count);
        cuda::launch_together(op, "pick_rows", blocks, kThreads, shared, pick_rows, state, done, last, count);
        done = last;
        backend.synchronize();
        if (done < count && progress && !progress(done)) break;
    }
    Coreset out;
    out.picks.resize(static_cast<std::size_t>(done));
    out.distances.resize(out.picks.size());
    picks.download(out.picks);
    distances.download(out.distances);
    out.remaining = nearest.to_host();
    for (double& value : out.distances) value = std::sqrt(value);
    for (double& value : out.remaining) value = std::sqrt(value);
    return out;
}

}  // namespace nightshift::kernels
