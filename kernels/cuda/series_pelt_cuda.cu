#include <algorithm>
#include <cstdint>
#include <limits>

#include "kernels/cuda/series_device.cuh"

namespace nightshift::kernels {

namespace {

using namespace cuda;

constexpr std::size_t kScratchBytesMax = std::size_t{256} << 20;
/// Warps of a multiprocessor that are worth having: each waits for memory most of the time.
constexpr std::int64_t kWarpsEach = 32;
/// Series of a warp in one launch; between launches somebody may stop the search.
constexpr std::int64_t kSeriesAWarp = 8;

struct PeltShape {
    std::int64_t shortest, jump;
    bool is_exact;
    double pen;
};

/// Arrays of a warp, [places] each: places are every jump-th sample and the end.
struct PeltScratch {
    double *sums, *squares, *best, *total;
    std::int32_t *from, *start, *until;
};
constexpr std::size_t kScratchDoubles = 4, kScratchInts = 3;

__device__ double infinity() {
    return __longlong_as_double(0x7ff0000000000000LL);
}

/// Sums of the centred series before each place, in order: one lane's work.
__device__ void sum_up(const double* x, std::int64_t n, std::int64_t jump, const PeltScratch& own) {
    double mean = 0, sum = 0, squares = 0;
    for (std::int64_t i = 0; i < n; ++i) mean += x[i];
    mean /= static_cast<double>(n);
    std::int64_t place = 0, next = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        if (i == next) {
            own.sums[place] = sum;
            own.squares[place++] = squares;
            next += jump;
        }
        const double value = x[i] - mean;
        sum += value;
        squares += value * value;
    }
    own.sums[place] = sum;
    own.squares[place] = squares;
}

/// Squares about the mean between two places that are `length` samples apart.
__device__ double cost_of(const PeltScratch& own, std::int64_t start, std::int64_t end, std::int64_t length) {
    const double sum = own.sums[end] - own.sums[start];
    const double cost = own.squares[end] - own.squares[start] - sum * sum / static_cast<double>(length);
    return larger(cost, 0);
}

struct Choice {
    double best;
    int candidate;  ///< as many as there are where none has a cost
};

/// The least cost of a segmentation up to `place`, sample `end`; of equal ones that of the first candidate.
/// own.total: what prune() needs of each. All lanes call it and have the same choice.
__device__ Choice choose(std::int64_t place, std::int64_t end, int candidates, const PeltShape& shape,
                         const PeltScratch& own) {
    Choice out{infinity(), candidates};
    for (int c = static_cast<int>(threadIdx.x) % kWarp; c < candidates; c += kWarp) {
        const std::int64_t start = own.start[c];
        const double cost = cost_of(own, start, place, end - start * shape.jump);
        const double reached = own.best[start] + cost;
        const double total = shape.is_exact ? reached + shape.pen : own.best[start] + (cost + shape.pen);
        own.total[c] = shape.is_exact ? reached : total;
        if (total < out.best) out = {total, c};
    }
    for (int step = kWarp / 2; step > 0; step /= 2) {
        const double best = __shfl_xor_sync(kWholeWarp, out.best, step);
        const int candidate = __shfl_xor_sync(kWholeWarp, out.candidate, step);
        if (best < out.best || (best == out.best && candidate < out.candidate)) out = {best, candidate};
    }
    return out;
}

/// Moves the candidates that go on to the front, in order, and returns how many. All lanes call it.
__device__ int prune(std::int64_t end, int candidates, double best, const PeltShape& shape,
                     const PeltScratch& own) {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const std::int64_t soon = end + shape.shortest - 1;
    int kept = 0;
    for (int at = 0; at < candidates; at += kWarp) {
        const int c = at + lane;
        std::int32_t start = 0, until = 0;
        bool is_kept = false;
        if (c < candidates) {
            start = own.start[c];
            until = own.until[c];
            if (shape.is_exact) {
                if (own.total[c] > best && soon < until) until = static_cast<std::int32_t>(soon);
                is_kept = until > end;
            } else {
                is_kept = own.total[c] <= best + shape.pen;
            }
        }
        const unsigned votes = __ballot_sync(kWholeWarp, is_kept ? 1 : 0);
        // Every lane has read what the next lines may overwrite; a vote alone orders no memory.
        __syncwarp();
        if (is_kept) {
            const int to = kept + __popc(votes & ((1u << lane) - 1));
            own.start[to] = start;
            own.until[to] = until;
        }
        kept += __popc(votes);
    }
    return kept;
}

/// Best costs of every place of the series. All lanes of the warp call it; candidates are shared among them.
__device__ void search(std::int64_t n, std::int64_t last, const PeltShape& shape, const PeltScratch& own) {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    for (std::int64_t place = lane; place <= last; place += kWarp) {
        own.best[place] = place == 0 ? 0 : infinity();
        own.from[place] = 0;
    }
    __syncwarp();
    int candidates = 0;
    for (std::int64_t place = (shape.shortest + shape.jump - 1) / shape.jump; place <= last; ++place) {
        const std::int64_t end = place == last ? n : place * shape.jump;
        const std::int64_t newest = (end - shape.shortest) / shape.jump;
        if (own.best[newest] < infinity()) {
            if (lane == 0) {
                own.start[candidates] = static_cast<std::int32_t>(newest);
                own.until[candidates] = static_cast<std::int32_t>(n);
            }
            ++candidates;
        }
        __syncwarp();
        const Choice choice = choose(place, end, candidates, shape, own);
        if (lane == 0 && choice.candidate < candidates) {
            own.best[place] = choice.best;
            own.from[place] = own.start[choice.candidate];
        }
        candidates = prune(end, candidates, choice.best, shape, own);
        __syncwarp();
    }
}

/// One warp a series at a time; warps beyond the grid's take the next ones. scratch: bytes of each warp.
/// in series first ... end of the batch; out costs [series], their points and counts.
__global__ void pelt_series(DeviceSeries batch, std::int64_t first, std::int64_t end, PeltShape shape,
                            std::int64_t places_max, double* doubles, std::int32_t* ints, double* costs,
                            std::int32_t* found, std::uint64_t* counts) {
    const std::int64_t warp = (static_cast<std::int64_t>(blockIdx.x) * kSeriesThreads + threadIdx.x) / kWarp;
    const std::int64_t warps = static_cast<std::int64_t>(gridDim.x) * (kSeriesThreads / kWarp);
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    double* const d = doubles + warp * static_cast<std::int64_t>(kScratchDoubles) * places_max;
    std::int32_t* const i = ints + warp * static_cast<std::int64_t>(kScratchInts) * places_max;
    const PeltScratch own{d, d + places_max, d + 2 * places_max, d + 3 * places_max,
                          i, i + places_max, i + 2 * places_max};
    for (std::int64_t s = first + warp; s < end; s += warps) {
        const std::int64_t at = batch.first_of(s), n = batch.samples_of(s);
        if (n == 0 || n < (shape.is_exact ? 1 : 2) * shape.shortest) {
            if (lane == 0) costs[s] = __longlong_as_double(0x7ff8000000000000LL);
            continue;
        }
        const std::int64_t last = (n + shape.jump - 1) / shape.jump;
        if (lane == 0) sum_up(batch.values + at, n, shape.jump, own);
        __syncwarp();
        search(n, last, shape, own);
        if (lane == 0) {
            std::int64_t count = 0;
            for (std::int64_t place = own.from[last]; place > 0; place = own.from[place]) ++count;
            counts[s] = static_cast<std::uint64_t>(count);
            for (std::int64_t place = own.from[last]; place > 0; place = own.from[place])
                found[at + --count] = static_cast<std::int32_t>(place * shape.jump);
            costs[s] = own.best[last];
        }
    }
}

std::int64_t longest(const SeriesBatch& batch) {
    std::size_t most = batch.samples;
    for (std::size_t i = 0; i < batch.series && !batch.offsets.empty(); ++i)
        most = std::max(most, batch.samples_of(i));
    return static_cast<std::int64_t>(most);
}

}  // namespace

BatchSegmentations pelt_batch_cuda(Backend& backend, const SeriesBatch& batch, Pelt pelt,
                                   const PeltOptions& options) {
    check_batch(batch, {});
    const Op op(backend, "pelt_batch", shapes_of(batch));
    SeriesOnDevice device(op, batch);
    Buffer<double> costs(backend, batch.series, "series.costs");
    const bool is_exact = pelt == Pelt::exact;
    const PeltShape shape{std::max(options.min_size, 1), is_exact ? 1 : std::max(options.jump, 1), is_exact,
                          options.pen};
    const std::int64_t places = (longest(batch) + shape.jump - 1) / shape.jump + 1;
    const std::size_t bytes_each = static_cast<std::size_t>(places) *
                                   (kScratchDoubles * sizeof(double) + kScratchInts * sizeof(std::int32_t));
    constexpr std::int64_t kWarpsABlock = kSeriesThreads / kWarp;
    const auto series = static_cast<std::int64_t>(batch.series);
    const std::int64_t wanted = std::min(series, backend.info().multiprocessors * kWarpsEach);
    const std::int64_t fitting = static_cast<std::int64_t>(kScratchBytesMax / bytes_each);
    const std::int64_t blocks = std::max<std::int64_t>(std::min(wanted, fitting) / kWarpsABlock, 1);
    const auto warps = static_cast<std::size_t>(blocks * kWarpsABlock);
    Buffer<double> doubles(backend, warps * kScratchDoubles * static_cast<std::size_t>(places), "pelt.sums");
    Buffer<std::int32_t> ints(backend, warps * kScratchInts * static_cast<std::size_t>(places),
                              "pelt.candidates");
    const std::int64_t together = blocks * kWarpsABlock * kSeriesAWarp;
    for (std::int64_t first = 0; first < series; first += together) {
        if (options.is_stopped) {
            backend.synchronize();  // else all launches would be asked for before the first has ended
            if (options.is_stopped()) return {};
        }
        launch(op, "pelt_series", static_cast<unsigned>(blocks), kSeriesThreads, 0, pelt_series,
               device.view(), first, std::min(first + together, series), shape, places, doubles.data(),
               ints.data(), costs.data(), device.found(), device.counts());
    }
    BatchSegmentations out;
    out.costs = costs.to_host();
    out.changes = device.take();
    return out;
}

}  // namespace nightshift::kernels
