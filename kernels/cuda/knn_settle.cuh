#pragma once

#include <cstdint>

#include "kernels/cuda/knn_filter.cuh"

/// The second look: what the filter could not rule out is computed exactly, as the CPU does.
namespace nightshift::kernels::cuda {

constexpr int kSettleWarps = 4;

/// The k nearest of one query so far, sorted; in shared memory, of one warp.
struct KnnNearest {
    double squared[kNeighboursMax];
    std::int32_t row[kNeighboursMax];
};

__device__ inline bool is_nearer(double squared, std::int32_t row, double other, std::int32_t other_row) {
    return squared < other || (squared == other && row < other_row);
}

/// One lane puts a row in its place.
__device__ inline void offer(KnnNearest& nearest, int k, double squared, std::int32_t row) {
    if (!is_nearer(squared, row, nearest.squared[k - 1], nearest.row[k - 1])) return;
    int at = k - 1;
    for (; at > 0 && is_nearer(squared, row, nearest.squared[at - 1], nearest.row[at - 1]); --at) {
        nearest.squared[at] = nearest.squared[at - 1];
        nearest.row[at] = nearest.row[at - 1];
    }
    nearest.squared[at] = squared;
    nearest.row[at] = row;
}

/// Summed in the order of the columns, as on the CPU. No number counts as infinite.
template <typename T>
__device__ double squared_distance(const T* query, const T* row, int d) {
    double sum = 0;
    for (int j = 0; j < d; ++j) {
        const double difference = static_cast<double>(query[j]) - static_cast<double>(row[j]);
        sum += difference * difference;
    }
    return sum == sum ? sum : __longlong_as_double(0x7ff0000000000000LL);
}

/// Rows first .. first + 31, one a lane; those that are `wanted` are computed and offered.
template <typename T>
__device__ void settle_rows(const T* bank_rows, const T* query, int d, std::int32_t row, bool wanted, int k,
                            KnnNearest& nearest) {
    const double squared =
        wanted ? squared_distance(query, bank_rows + static_cast<std::int64_t>(row) * d, d) : 0;
    unsigned votes = __ballot_sync(kWholeWarp, wanted ? 1 : 0);
    while (votes != 0) {
        const int lane = __ffs(static_cast<int>(votes)) - 1;
        votes &= votes - 1;
        if (static_cast<int>(threadIdx.x) % kWarp == lane) offer(nearest, k, squared, row);
        __syncwarp();
    }
}

/// One warp a query. out squared distances and rows [count, k], nearest first.
template <typename T>
__global__ void settle(KnnDeviceBank bank, KnnDeviceQueries queries, const T* bank_rows, const T* query_rows,
                       int k, double* squared, std::int32_t* rows) {
    __shared__ KnnNearest all[kSettleWarps];
    const int warp = static_cast<int>(threadIdx.x) / kWarp, lane = static_cast<int>(threadIdx.x) % kWarp;
    const std::int64_t q = static_cast<std::int64_t>(blockIdx.x) * kSettleWarps + warp;
    if (q >= queries.count) return;
    KnnNearest& nearest = all[warp];
    const double infinite = __longlong_as_double(0x7ff0000000000000LL);
    for (int i = lane; i < k; i += kWarp) {
        nearest.squared[i] = infinite;
        nearest.row[i] = 0x7fffffff;
    }
    __syncwarp();
    const T* query = query_rows + q * bank.d;
    const double norm = bank.is_usable ? queries.norms[q] : infinite;
    const bool is_bounded = norm < infinite;
    const double below = is_bounded ? norm * (1 - bank.fine_unit) - bank.fine_tiny : 0;
    const float limit = is_bounded ? queries.limits[q] : 0;
    for (int p = 0; p < bank.panels; ++p) {
        if (is_bounded && queries.lows[q * bank.panels + p] > limit) continue;
        for (int part = 0; part < kKnnPanel; part += kWarp) {
            const int place = part + lane;
            const std::int64_t row = static_cast<std::int64_t>(p) * kKnnPanel + place;
            bool wanted = row < bank.rows;
            if (is_bounded) {
                const float* panel = bank.values + static_cast<std::int64_t>(p) * bank.d * kKnnPanel + place;
                const float* own = queries.values + q * bank.d;
                float sum = 0;
                for (int j = 0; j < bank.d; ++j) sum = fmaf(own[j], panel[j * kKnnPanel], sum);
                const float low = fmaf(-2.0F, sum, bank.fine_low_norms[p * kKnnPanel + place]);
                wanted =
                    wanted && low <= limit && !(static_cast<double>(low) + below > nearest.squared[k - 1]);
            }
            __syncwarp();
            settle_rows(bank_rows, query, bank.d, static_cast<std::int32_t>(row), wanted, k, nearest);
        }
    }
    for (int i = lane; i < k; i += kWarp) {
        squared[q * k + i] = nearest.squared[i];
        rows[q * k + i] = nearest.row[i];
    }
}

}  // namespace nightshift::kernels::cuda
