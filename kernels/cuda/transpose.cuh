#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/buffer.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/rows.h"

namespace nightshift::kernels::cuda {

constexpr int kTransposeTile = 32;
constexpr int kTransposeThreadRows = 8;

/// grid (columns, rows in tiles), block (32, 8). in from [rows, columns]; out to[c * stride + r].
template <typename T>
__global__ void transpose_tile(const T* from, std::int64_t rows, std::int64_t columns, T* to,
                               std::int64_t stride) {
    __shared__ T tile[kTransposeTile][kTransposeTile + 1];
    const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * kTransposeTile;
    const std::int64_t row = static_cast<std::int64_t>(blockIdx.y) * kTransposeTile;
    const int x = static_cast<int>(threadIdx.x);
    for (int y = static_cast<int>(threadIdx.y); y < kTransposeTile; y += kTransposeThreadRows) {
        if (row + y < rows && column + x < columns) tile[y][x] = from[(row + y) * columns + column + x];
    }
    __syncthreads();
    for (int y = static_cast<int>(threadIdx.y); y < kTransposeTile; y += kTransposeThreadRows) {
        if (column + y < columns && row + x < rows) to[(column + y) * stride + row + x] = tile[x][y];
    }
}

/// The host's rows on the device with each column in one piece, [columns, rows]: neighbouring threads that
/// take neighbouring rows read neighbouring values. Needs some 16 MiB besides while it runs.
template <typename T>
Buffer<T> columns_on_device(const Op& op, Rows<T> rows, std::string_view owner) {
    constexpr std::int64_t kPieceBytes = std::int64_t{16} << 20;
    // The grid's second side ends at 65,535 tiles.
    constexpr std::int64_t kRowsMax = std::int64_t{65'535} * kTransposeTile;
    const std::int64_t columns = rows.columns;
    Buffer<T> out(op.backend(), static_cast<std::size_t>(rows.rows * columns), owner);
    const std::int64_t piece = std::clamp<std::int64_t>(
        kPieceBytes / (static_cast<std::int64_t>(sizeof(T)) * columns), 1, std::min(rows.rows, kRowsMax));
    Buffer<T> staged(op.backend(), static_cast<std::size_t>(piece * columns), "copy of rows");
    for (std::int64_t at = 0; at < rows.rows; at += piece) {
        const std::int64_t count = std::min(piece, rows.rows - at);
        staged.upload(std::span<const T>(rows.row(at), static_cast<std::size_t>(count * columns)));
        const dim3 grid(blocks_for(columns, kTransposeTile), blocks_for(count, kTransposeTile));
        launch(op, "transpose_tile", grid, dim3(kTransposeTile, kTransposeThreadRows), 0, transpose_tile<T>,
               staged.data(), count, columns, out.data() + at, rows.rows);
    }
    return out;
}

}  // namespace nightshift::kernels::cuda
