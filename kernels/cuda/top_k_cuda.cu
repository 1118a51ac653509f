#include <algorithm>
#include <string>

#include "kernels/cpu/key_sort.h"
#include "kernels/cpu/top_k_entries.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/tiles.cuh"
#include "kernels/order_key.h"

namespace nightshift::kernels {
namespace {

constexpr int kThreads = 256;
constexpr int kDigits = 256;

/// The digits that are settled, from the highest byte on, and how many entries are still wanted among those
/// that share them.
struct Search {
    std::uint64_t high;
    int shift;  ///< of the lowest settled digit; 64 at first
    unsigned wanted;
    bool is_done;
};

/// Takes the digit below the settled ones into which the last entry wanted falls. Where all entries that
/// share it are wanted, none of the digits below matters.
__device__ void settle_digit(const unsigned* counts, Search& search) {
    unsigned before = 0;
    int digit = 0;
    while (before + counts[digit] < search.wanted) before += counts[digit++];
    search.wanted -= before;
    search.shift -= 8;
    search.high = search.high << 8 | static_cast<std::uint64_t>(digit);
    search.is_done = counts[digit] == search.wanted || search.shift == 0;
}

__device__ bool is_shared(std::uint64_t entry, const Search& search) {
    return search.shift == 64 || entry >> search.shift == search.high;
}

/// in rows [blocks, columns]   out entries [blocks, k] of falling_entry(), in no order
/// One block a row. Radix select over value and column, a byte a pass: entries are all different, so the k-th
/// is one place, and what is not after it is taken. k is 1..columns.
__global__ void select(const float* rows, std::int64_t columns, std::int64_t k, std::uint64_t* entries) {
    __shared__ unsigned counts[kDigits];
    __shared__ Search search;
    __shared__ unsigned taken;
    const float* row = rows + static_cast<std::int64_t>(blockIdx.x) * columns;
    if (threadIdx.x == 0) {
        search = {0, 64, static_cast<unsigned>(k), false};
        taken = 0;
    }
    __syncthreads();
    while (!search.is_done) {
        for (int digit = static_cast<int>(threadIdx.x); digit < kDigits; digit += kThreads) counts[digit] = 0;
        __syncthreads();
        for (std::int64_t i = threadIdx.x; i < columns; i += kThreads) {
            const std::uint64_t entry = falling_entry(row[i], static_cast<std::uint32_t>(i));
            if (is_shared(entry, search))
                atomicAdd(&counts[static_cast<unsigned>(entry >> (search.shift - 8)) & 0xffU], 1U);
        }
        __syncthreads();
        if (threadIdx.x == 0) settle_digit(counts, search);
        __syncthreads();
    }
    for (std::int64_t i = threadIdx.x; i < columns; i += kThreads) {
        const std::uint64_t entry = falling_entry(row[i], static_cast<std::uint32_t>(i));
        if (entry >> search.shift <= search.high)
            entries[static_cast<std::int64_t>(blockIdx.x) * k + atomicAdd(&taken, 1U)] = entry;
    }
}

}  // namespace

TopK top_k_cuda(Backend& backend, const TensorView<const float, 2>& in, std::int64_t k) {
    TopK out = empty_top_k(in, k);
    const std::int64_t height = in.shape[0], columns = in.shape[1];
    if (k == 0 || height == 0) return out;
    const cuda::Op op(
        backend, "top_k",
        "in [" + std::to_string(height) + ", " + std::to_string(columns) + "], k " + std::to_string(k));
    const std::size_t row_bytes = static_cast<std::size_t>(columns) * sizeof(float) +
                                  static_cast<std::size_t>(k) * sizeof(std::uint64_t);
    const std::int64_t together = cuda::rows_of_tile(backend, 0, row_bytes, height, 2);
    Buffer<float> rows(backend, static_cast<std::size_t>(together * columns), "top_k.rows");
    Buffer<std::uint64_t> chosen(backend, static_cast<std::size_t>(together * k), "top_k.result");
    std::vector<std::uint64_t> all(chosen.size()), entries, spare;
    for (std::int64_t first = 0; first < height; first += together) {
        const std::int64_t count = std::min(together, height - first);
        cuda::upload_view(sliced(in, 0, first, count), rows);
        cuda::launch(op, "select", static_cast<unsigned>(count), kThreads, 0, select, rows.data(), columns, k,
                     chosen.data());
        chosen.download(std::span(all).first(static_cast<std::size_t>(count * k)));
        for (std::int64_t y = 0; y < count; ++y) {
            entries.assign(all.begin() + y * k, all.begin() + (y + 1) * k);
            sort_keys(entries, spare);
            put_top_k(in, first + y, entries, out);
        }
    }
    return out;
}

}  // namespace nightshift::kernels
