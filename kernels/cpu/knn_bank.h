#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/cpu/knn_tile.h"
#include "kernels/rows.h"

namespace nightshift::kernels {

/// Squares of larger values do not fit a float.
inline constexpr double kKnnFilterMax = 1e15;

/// A bank as the filter sees it: centred on its mean, single precision, in panels of as many rows as a tile
/// holds.
///
/// What the filter computes of a squared distance |q|^2 + |b|^2 - 2 q.b is off by at most
/// unit (|q|^2 + |b|^2) + tiny. Casting the two factors takes 2 u of |q||b|, d sums take d u, both times 2,
/// and |q||b| <= (|q|^2 + |b|^2) / 2; norms, the last sum and limits are each rounded to single precision,
/// in all 9 u of |q|^2 + |b|^2. So d + 11 would do for unit / u (u = 2^-24); d + 16 is taken.
struct KnnBank {
    bool is_usable = false;  ///< else only the plain loop is exact
    KnnTile tile{};
    std::int64_t panels = 0;
    std::vector<double> centre;
    std::vector<float> values;     ///< [panels, columns, tile.rows]
    std::vector<float> low_norms;  ///< |b|^2 less its part of the error; infinite beyond the last row
    std::vector<float> widths;     ///< from the least to the most, the bank row's part
    double unit = 0, tiny = 0;

    const float* panel(std::int64_t index, std::int64_t columns) const {
        return values.data() + index * columns * tile.rows;
    }
};

/// Panels of `panel_rows`; the tile stays empty.
template <typename T>
KnnBank pack_bank(Rows<T> bank, int panel_rows);
/// Panels of the tile's rows.
template <typename T>
KnnBank pack_bank(Rows<T> bank, const KnnTile& tile);

/// Less the centre, single precision, a column of `to` (which has `stride` floats a row). Gives |q|^2.
template <typename T>
double pack_query(const T* query, const KnnBank& bank, std::int64_t stride, float* to);

}  // namespace nightshift::kernels
