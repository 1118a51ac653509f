#pragma once

#include <type_traits>

#include "cuda_fp16.h"
#include "tests/kernels/emulator/device_words.h"

/// Products of tiles by a whole warp, 16 x 16 x 16. Here every thread holds the whole tile and computes all
/// of it, which gives the same numbers; the barrier finds threads that are missing. Part of the emulation.
namespace nvcuda::wmma {

struct matrix_a {};
struct matrix_b {};
struct accumulator {};
struct row_major {};
struct col_major {};
enum layout_t { mem_row_major, mem_col_major };

constexpr int kTile = 16;

template <typename Use, int M, int N, int K, typename T, typename Layout = void>
struct fragment {
    static_assert(M == kTile && N == kTile && K == kTile);
    float values[kTile][kTile];
};

template <typename Use, typename T, typename Layout>
void load_matrix_sync(fragment<Use, kTile, kTile, kTile, T, Layout>& to, const T* from, unsigned stride) {
    __syncwarp();
    for (unsigned i = 0; i < kTile; ++i) {
        for (unsigned j = 0; j < kTile; ++j) {
            const bool is_by_rows = std::is_same_v<Layout, row_major>;
            to.values[i][j] = __half2float(from[is_by_rows ? i * stride + j : j * stride + i]);
        }
    }
}

template <typename T>
void fill_fragment(fragment<accumulator, kTile, kTile, kTile, T>& to, T value) {
    for (auto& row : to.values) {
        for (float& each : row) each = value;
    }
}

template <typename LayoutA, typename LayoutB>
void mma_sync(fragment<accumulator, kTile, kTile, kTile, float>& out,
              const fragment<matrix_a, kTile, kTile, kTile, half, LayoutA>& a,
              const fragment<matrix_b, kTile, kTile, kTile, half, LayoutB>& b,
              const fragment<accumulator, kTile, kTile, kTile, float>& c) {
    __syncwarp();
    for (int i = 0; i < kTile; ++i) {
        for (int j = 0; j < kTile; ++j) {
            float sum = c.values[i][j];
            for (int k = 0; k < kTile; ++k) sum += a.values[i][k] * b.values[k][j];
            out.values[i][j] = sum;
        }
    }
}

template <typename T>
void store_matrix_sync(T* to, const fragment<accumulator, kTile, kTile, kTile, T>& from, unsigned stride,
                       layout_t layout) {
    __syncwarp();
    for (unsigned i = 0; i < kTile; ++i) {
        for (unsigned j = 0; j < kTile; ++j)
            to[layout == mem_row_major ? i * stride + j : j * stride + i] = from.values[i][j];
    }
    __syncwarp();
}

}  // namespace nvcuda::wmma
