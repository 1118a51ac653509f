#pragma once

#include <cstdint>

namespace nightshift::kernels {

/// Columns of a row of whole numbers in one int32: the first in its low half. A last column stands beside 0.
using KnnPair = std::int32_t;

/// The queries of a tile, `values` as [pairs, kTile.queries]. A query is about `factors[q]` times its whole
/// numbers.
struct KnnTileQueries {
    const KnnPair* values;
    const float* factors;
    const float* limits;
};

/// The bank rows of a panel, `values` as [pairs, kTile.rows]; `factors` are minus two times the rows' own.
struct KnnTilePanel {
    const KnnPair* values;
    const float* factors;
    const float* low_norms;
};

/// Products of a tile of queries with a panel of bank rows, and which of them may matter.
/// With low = low_norm + row factor (query factor (query . row)), which is a number: gives a bit for each
/// query q with low <= limits[q] for any row (none if that is no number); for these lows[q, :] and a bit for
/// each such row in hits[q]. Sums are of whole numbers and exact: no row's |query||row| may be above 2^31
/// - 1. Only what comes after them is rounded, at most four times by 2^-24.
using KnnTileRun = std::uint32_t (*)(const KnnTileQueries& queries, const KnnTilePanel& panel,
                                     std::int64_t pairs, float* lows, std::uint32_t* hits);

struct KnnTile {
    int queries, rows;
    KnnTileRun run;
};
inline constexpr int kKnnTileQueriesMax = 14, kKnnTileRowsMax = 32;

/// Of the CPU variant in use.
KnnTile knn_tile();

}  // namespace nightshift::kernels
