#pragma once

#include <cstdint>

namespace nightshift::kernels {

/// Products of a tile of queries with a panel of bank rows, single precision, and which of them may matter.
/// queries [columns, kTile.queries], panel [columns, kTile.rows], low_norms [rows], limits [queries].
/// With low = low_norm - 2 query . row, which is a number: gives a bit for each query q with low <= limits[q]
/// for any row (none if that is no number); for these lows[q, :] and a bit for each such row in hits[q].
/// Each sum is taken over the columns in order; the error of a product of d columns is below d 2^-24 times
/// the product of the lengths. 1e-6 relative between variants (fused or not), which no result shows.
using KnnTileRun = std::uint32_t (*)(const float* queries, const float* panel, std::int64_t columns,
                                     const float* low_norms, const float* limits, float* lows,
                                     std::uint32_t* hits);

struct KnnTile {
    int queries, rows;
    KnnTileRun run;
};
inline constexpr int kKnnTileQueriesMax = 14, kKnnTileRowsMax = 32;

/// Of the CPU variant in use.
KnnTile knn_tile();

}  // namespace nightshift::kernels
