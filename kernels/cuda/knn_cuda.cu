#include "kernels/knn.h"

#include <algorithm>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/buffer.h"
#include "kernels/cuda/launch.cuh"

namespace nightshift::kernels {
namespace {

/// Threads of a block; each keeps k candidates of its share of the bank.
constexpr int kThreads = 128;
/// Queries of a block: each bank value that is read serves all of them.
constexpr int kQueries = 4;
/// Blocks of one launch; a larger query set runs in several.
constexpr std::int64_t kBlocksMax = 65'535;

/// in  bank_t [d, m] (transposed: neighbouring threads read neighbouring values), queries [n, d]
/// out squared [blocks*kQueries, k, kThreads] and index, each thread's candidates in rising order.
/// One block serves kQueries queries; thread t looks at the bank rows t, t + kThreads, ...
template <typename T>
__global__ void scan(const T* bank_t, const T* queries, int m, int d, std::int64_t n, int k, double* squared,
                     std::int32_t* index) {
    T* const query = cuda::shared_memory<T>();  // [kQueries, d]
    const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kQueries;
    for (int i = threadIdx.x; i < kQueries * d; i += kThreads) {
        const std::int64_t row = first + i / d;
        query[i] = row < n ? queries[row * d + i % d] : T(0);
    }
    __syncthreads();
    double* own = squared + first * k * kThreads + threadIdx.x;
    std::int32_t* own_index = index + first * k * kThreads + threadIdx.x;
    const double infinity = __longlong_as_double(0x7ff0000000000000LL);
    for (int i = 0; i < kQueries * k; ++i) {
        own[static_cast<std::int64_t>(i) * kThreads] = infinity;
        own_index[static_cast<std::int64_t>(i) * kThreads] = 0x7fffffff;
    }
    double worst[kQueries];
    for (int q = 0; q < kQueries; ++q) worst[q] = infinity;
    for (int b = threadIdx.x; b < m; b += kThreads) {
        T sums[kQueries] = {};
        for (int j = 0; j < d; ++j) {
            const T value = bank_t[static_cast<std::int64_t>(j) * m + b];
            for (int q = 0; q < kQueries; ++q) {
                const T difference = query[q * d + j] - value;
                sums[q] += difference * difference;
            }
        }
        for (int q = 0; q < kQueries; ++q) {
            const double sum = static_cast<double>(sums[q]);
            if (!(sum < worst[q])) continue;  // a later row never replaces an equal one
            double* list = own + static_cast<std::int64_t>(q) * k * kThreads;
            std::int32_t* rows = own_index + static_cast<std::int64_t>(q) * k * kThreads;
            int at = k - 1;
            for (; at > 0 && sum < list[(at - 1) * kThreads]; --at) {
                list[at * kThreads] = list[(at - 1) * kThreads];
                rows[at * kThreads] = rows[(at - 1) * kThreads];
            }
            list[at * kThreads] = sum;
            rows[at * kThreads] = b;
            worst[q] = list[(k - 1) * kThreads];
        }
    }
}

/// Merges the kThreads sorted lists of one query: k times the smallest head, ties to the lower row.
/// grid: one block a query. out distances [n, k], rows [n, k].
__global__ void merge(const double* squared, const std::int32_t* index, int k, double* distances,
                      std::int32_t* rows) {
    __shared__ double best[kThreads];
    __shared__ std::int32_t best_row[kThreads];
    __shared__ int best_thread[kThreads];
    const std::int64_t query = blockIdx.x;
    const double* list = squared + query * k * kThreads + threadIdx.x;
    const std::int32_t* list_rows = index + query * k * kThreads + threadIdx.x;
    int head = 0;
    for (int i = 0; i < k; ++i) {
        const bool has = head < k;
        best[threadIdx.x] = has ? list[head * kThreads] : __longlong_as_double(0x7ff0000000000000LL);
        best_row[threadIdx.x] = has ? list_rows[head * kThreads] : 0x7fffffff;
        best_thread[threadIdx.x] = static_cast<int>(threadIdx.x);
        __syncthreads();
        for (int half = kThreads / 2; half > 0; half /= 2) {
            const int t = static_cast<int>(threadIdx.x);
            if (t < half) {
                const bool is_lower = best[t + half] < best[t] ||
                                      (best[t + half] == best[t] && best_row[t + half] < best_row[t]);
                if (is_lower) {
                    best[t] = best[t + half];
                    best_row[t] = best_row[t + half];
                    best_thread[t] = best_thread[t + half];
                }
            }
            __syncthreads();
        }
        if (threadIdx.x == 0) {
            distances[query * k + i] = sqrt(best[0]);
            rows[query * k + i] = best_row[0];
        }
        if (best_thread[0] == static_cast<int>(threadIdx.x)) ++head;
        __syncthreads();
    }
}

template <typename T>
Neighbours search(Backend& backend, Rows<T> bank, Rows<T> queries, int k) {
    if (bank.columns != queries.columns || k < 1 || k > kNeighboursMax || k > bank.rows ||
        bank.rows > std::numeric_limits<std::int32_t>::max()) {
        throw std::invalid_argument("knn: bank and queries do not fit, or k is out of range");
    }
    Neighbours out;
    out.k = k;
    out.distances.resize(static_cast<std::size_t>(queries.rows * k));
    out.indices.resize(out.distances.size());
    if (queries.rows == 0) return out;
    const auto m = static_cast<int>(bank.rows);
    const auto d = static_cast<int>(bank.columns);
    std::vector<T> transposed(static_cast<std::size_t>(bank.rows * bank.columns));
    for (int b = 0; b < m; ++b) {
        for (int j = 0; j < d; ++j) {
            transposed[static_cast<std::size_t>(j) * static_cast<std::size_t>(m) +
                       static_cast<std::size_t>(b)] = bank.row(b)[j];
        }
    }
    const cuda::Op op(backend, "knn",
                      "bank [" + std::to_string(bank.rows) + ", " + std::to_string(d) + "], queries [" +
                          std::to_string(queries.rows) + ", " + std::to_string(d) + "], k " +
                          std::to_string(k));
    Buffer<T> bank_d(backend, std::span<const T>(transposed), "knn.bank");
    // Candidate lists of one launch stay below 512 MiB.
    const std::int64_t per_query = static_cast<std::int64_t>(k) * kThreads;
    const std::int64_t blocks =
        std::clamp<std::int64_t>((512LL << 20) / (12 * per_query * kQueries), 1, 16'000);
    const std::int64_t chunk = std::min(std::min(blocks, kBlocksMax / kQueries) * kQueries, queries.rows);
    const std::int64_t padded = (chunk + kQueries - 1) / kQueries * kQueries;
    Buffer<double> squared(backend, static_cast<std::size_t>(padded * per_query), "knn.candidates");
    Buffer<std::int32_t> index(backend, squared.size(), "knn.candidates");
    Buffer<T> query_d(backend, static_cast<std::size_t>(chunk * d), "knn.queries");
    Buffer<double> distances(backend, static_cast<std::size_t>(chunk * k), "knn.result");
    Buffer<std::int32_t> rows(backend, distances.size(), "knn.result");
    const std::size_t shared = sizeof(T) * kQueries * static_cast<std::size_t>(d);
    for (std::int64_t begin = 0; begin < queries.rows; begin += chunk) {
        const std::int64_t count = std::min(chunk, queries.rows - begin);
        query_d.upload({queries.row(begin), static_cast<std::size_t>(count * d)});
        cuda::launch(op, "scan", cuda::blocks_for(count, kQueries), kThreads, shared, scan<T>, bank_d.data(),
                     query_d.data(), m, d, count, k, squared.data(), index.data());
        cuda::launch(op, "merge", static_cast<unsigned>(count), kThreads, 0, merge, squared.data(),
                     index.data(), k, distances.data(), rows.data());
        const auto at = static_cast<std::size_t>(begin * k), size = static_cast<std::size_t>(count * k);
        distances.download(std::span(out.distances).subspan(at, size));
        rows.download(std::span(out.indices).subspan(at, size));
    }
    return out;
}

}  // namespace

Neighbours knn_cuda(Backend& backend, Rows<double> bank, Rows<double> queries, int k) {
    return search(backend, bank, queries, k);
}
Neighbours knn_cuda(Backend& backend, Rows<float> bank, Rows<float> queries, int k) {
    return search(backend, bank, queries, k);
}

}  // namespace nightshift::kernels
