#pragma once

#include <cuda_fp16.h>
#include <mma.h>

#include <cstdint>

#include "kernels/cuda/block_sums.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/knn.h"

/// The first look of the nearest-neighbour search: products of half precision on tensor cores bound every
/// squared distance from both sides, so that few rows have to be computed exactly afterwards.
///
/// With s a power of two so that the centred bank's largest value times s lies in 16..32, factors are rounded
/// to half after scaling: relative 2^-11, or 2^-25 / s below the smallest normal number. What is computed
/// of |q|^2 + |b|^2 - 2 q.b is then off by at most unit (|q|^2 + |b|^2) + tiny, with
/// 2 (2^-10 + 2^-22) |q||b| <= (2^-10 + 2^-22) (|q|^2 + |b|^2) for the factors, (d + 16) 2^-22 for the sums
/// (a tensor core may cut instead of rounding), and for the small ones 2^-24 sqrt(d) / s (|q| + |b|)
/// <= 2^-11 (|q|^2 + |b|^2) + d 2^-36 / s^2. Taken: unit = 2^-9 + (d + 16) 2^-22, tiny = (d + 16) 2^-36 /
/// s^2.
namespace nightshift::kernels::cuda {

constexpr int kKnnPanel = 64;  ///< bank rows of a panel
constexpr int kKnnTile = 64;   ///< queries of a tile
constexpr int kKnnThreads = 128;
constexpr int kKnnFragment = 16;
constexpr int kKnnChunk = 128;  ///< columns in shared memory at once, where not the whole bank is
constexpr int kKnnSkew = 8;     ///< halves that follow a row in shared memory, against bank conflicts
constexpr float kHalfMax = 60000.0F;

/// The bank on the device. Rows beyond the last have infinite low norms.
struct KnnDeviceBank {
    const half* scaled;      ///< [panels, kKnnPanel, wide] centred, times scale; zeros beyond the columns
    const float* values;     ///< [panels, d, kKnnPanel] centred
    const float* low_norms;  ///< [panels * kKnnPanel] |b|^2 less its part of the filter's error
    const float* widths;     ///< [panels * kKnnPanel] from the least to the most, the row's part
    const float* fine_low_norms;  ///< the same for products of single precision
    const double* centre;         ///< [d]
    std::int64_t rows;
    int panels, d, wide;
    float scale;
    double unit, tiny;            ///< of the filter
    double fine_unit, fine_tiny;  ///< of single precision
    bool is_usable;               ///< else every distance is computed exactly
};

/// Queries of one launch.
struct KnnDeviceQueries {
    const half* scaled;   ///< [tiles * kKnnTile, wide]
    const float* values;  ///< [count, d] centred
    const double* norms;  ///< [count] |q|^2; infinite: no bound is known
    float* limits;        ///< [count] no row above it is among the k nearest
    float* lows;          ///< [count, panels] least that a panel's squared distances less |q|^2 can be
    std::int64_t count;
};

/// One warp a query. in rows [count, d]; out values, scaled and norms; tiles are filled up with zeros.
template <typename T>
__global__ void pack_queries(KnnDeviceBank bank, const T* rows, std::int64_t count, std::int64_t padded,
                             half* scaled, float* values, double* norms) {
    const std::int64_t query = (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / kWarp;
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    if (query >= padded) return;
    double norm = 0;
    float largest = 0;
    for (int j = lane; j < bank.wide; j += kWarp) {
        float value = 0;
        if (query < count && j < bank.d) {
            const double centred = static_cast<double>(rows[query * bank.d + j]) - bank.centre[j];
            norm += centred * centred;
            value = static_cast<float>(centred);
            values[query * bank.d + j] = value;
            largest = fmaxf(largest, fabsf(value));
        }
        scaled[query * bank.wide + j] = __float2half_rn(value * bank.scale);
    }
    norm = warp_sum(norm);
    largest = warp_most(largest);
    // Comparisons with what is no number are false.
    const bool fits = norm < 1e30 && largest * bank.scale <= kHalfMax;
    if (lane == 0 && query < count) norms[query] = fits ? norm : __longlong_as_double(0x7ff0000000000000LL);
}

/// Bytes of shared memory of filter_tiles() with `columns` of a tile and of `panels` of the bank in it.
inline std::size_t filter_shared_bytes(int columns, int panels) {
    const std::size_t row = static_cast<std::size_t>(columns + kKnnSkew) * sizeof(half);
    return row * (kKnnTile + static_cast<std::size_t>(kKnnPanel) * static_cast<std::size_t>(panels)) +
           sizeof(float) * kKnnTile * kKnnPanel;
}

/// Columns first .. first + count of `rows` rows of `wide` halves into shared memory, 16 bytes at a time.
__device__ inline void load_halves(const half* from, int rows, int wide, int first, int count, half* to,
                                   int stride) {
    const int pieces = count / 8;
    for (int i = static_cast<int>(threadIdx.x); i < rows * pieces; i += kKnnThreads) {
        const int row = i / pieces, piece = i % pieces;
        *reinterpret_cast<int4*>(to + row * stride + piece * 8) =
            *reinterpret_cast<const int4*>(from + static_cast<std::int64_t>(row) * wide + first + piece * 8);
    }
}

constexpr int kKnnColumnTiles = kKnnPanel / kKnnFragment;
using KnnSums = nvcuda::wmma::fragment<nvcuda::wmma::accumulator, 16, 16, 16, float>;

/// Adds `columns` columns of a warp's 16 queries times the panel's 64 rows.
__device__ inline void add_products(const half* queries, const half* panel, int columns, int stride,
                                    KnnSums (&sums)[kKnnColumnTiles]) {
    namespace wmma = nvcuda::wmma;
    const int warp = static_cast<int>(threadIdx.x) / kWarp;
    for (int j = 0; j < columns; j += kKnnFragment) {
        wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> a;
        wmma::load_matrix_sync(a, queries + warp * kKnnFragment * stride + j, static_cast<unsigned>(stride));
#pragma unroll
        for (int c = 0; c < kKnnColumnTiles; ++c) {
            wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::col_major> b;
            wmma::load_matrix_sync(b, panel + c * kKnnFragment * stride + j, static_cast<unsigned>(stride));
            wmma::mma_sync(sums[c], a, b, sums[c]);
        }
    }
}

/// Into `products` [kKnnTile, kKnnPanel].
__device__ inline void store_products(const KnnSums (&sums)[kKnnColumnTiles], float* products) {
    float* const own = products + static_cast<int>(threadIdx.x) / kWarp * kKnnFragment * kKnnPanel;
#pragma unroll
    for (int c = 0; c < kKnnColumnTiles; ++c)
        nvcuda::wmma::store_matrix_sync(own + c * kKnnFragment, sums[c], static_cast<unsigned>(kKnnPanel),
                                        nvcuda::wmma::mem_row_major);
}

/// The k-th least of `values` [kKnnPanel], by counting; called by the two threads of a query.
__device__ inline float kth_least(const float* values, int k) {
    float found = __uint_as_float(0x7f800000u);
    for (int i = 0; i < kKnnPanel; ++i) {
        int before = 0;
        for (int j = 0; j < kKnnPanel; ++j)
            before += values[j] < values[i] || (values[j] == values[i] && j < i) ? 1 : 0;
        if (before == k - 1) found = values[i];
    }
    return found;
}

/// Persistent blocks; each takes tile after tile of queries past all panels. Where all panels fit into shared
/// memory (`is_resident`) they are loaded once, else `chunk` columns of one at a time. Two threads a query,
/// each half of a panel's rows; rows with the same place in their panels are a group, whose least upper
/// bounds give a first limit: the k-th of them.
__global__ void __launch_bounds__(kKnnThreads)
    filter_tiles(KnnDeviceBank bank, KnnDeviceQueries queries, int k, int chunk, bool is_resident) {
    constexpr int kHalfPanel = kKnnPanel / 2;
    half* const tile = shared_memory<half>();
    const int stride = chunk + kKnnSkew;
    half* const panels = tile + kKnnTile * stride;
    auto* const products = reinterpret_cast<float*>(
        panels + static_cast<std::int64_t>(is_resident ? bank.panels : 1) * kKnnPanel * stride);
    const int thread = static_cast<int>(threadIdx.x), own = thread / 2, first = thread % 2 * kHalfPanel;
    const auto panel_at = [&](int panel) {
        return bank.scaled + static_cast<std::int64_t>(panel) * kKnnPanel * bank.wide;
    };
    if (is_resident)
        load_halves(bank.scaled, bank.panels * kKnnPanel, bank.wide, 0, bank.wide, panels, stride);
    const float back = -2.0F / (bank.scale * bank.scale), infinite = __uint_as_float(0x7f800000u);
    const std::int64_t tiles = (queries.count + kKnnTile - 1) / kKnnTile;
    for (std::int64_t t = blockIdx.x; t < tiles; t += gridDim.x) {
        const std::int64_t query = t * kKnnTile + own;
        const half* const own_tile = queries.scaled + t * kKnnTile * bank.wide;
        __syncthreads();
        if (chunk >= bank.wide) load_halves(own_tile, kKnnTile, bank.wide, 0, bank.wide, tile, stride);
        float highs[kHalfPanel];
#pragma unroll
        for (float& high : highs) high = infinite;
        for (int p = 0; p < bank.panels; ++p) {
            const half* panel =
                panels + (is_resident ? static_cast<std::int64_t>(p) * kKnnPanel * stride : 0);
            KnnSums sums[kKnnColumnTiles];
            for (auto& sum : sums) nvcuda::wmma::fill_fragment(sum, 0.0F);
            for (int j = 0; j < bank.wide; j += chunk) {
                const int columns = min(chunk, bank.wide - j);
                if (!is_resident) load_halves(panel_at(p), kKnnPanel, bank.wide, j, columns, panels, stride);
                if (chunk < bank.wide) load_halves(own_tile, kKnnTile, bank.wide, j, columns, tile, stride);
                __syncthreads();
                add_products(tile, panel, columns, stride, sums);
                __syncthreads();
            }
            // Of the products a warp reads only what it wrote itself.
            store_products(sums, products);
            __syncwarp();
            float least = infinite;
#pragma unroll
            for (int r = 0; r < kHalfPanel; ++r) {
                const int row = first + r;
                const float low =
                    fmaf(back, products[own * kKnnPanel + row], bank.low_norms[p * kKnnPanel + row]);
                least = fminf(least, low);
                highs[r] = fminf(highs[r], low + bank.widths[p * kKnnPanel + row]);
            }
            least = fminf(least, __shfl_xor_sync(kWholeWarp, least, 1));
            if (first == 0 && query < queries.count) queries.lows[query * bank.panels + p] = least;
            __syncwarp();
        }
#pragma unroll
        for (int r = 0; r < kHalfPanel; ++r) products[own * kKnnPanel + first + r] = highs[r];
        __syncwarp();
        const float high = kth_least(products + own * kKnnPanel, k);
        if (first == 0 && query < queries.count)
            queries.limits[query] =
                high + static_cast<float>(2 * (bank.unit * queries.norms[query] + bank.tiny));
    }
}

}  // namespace nightshift::kernels::cuda
