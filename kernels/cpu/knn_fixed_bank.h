#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/knn_centre.h"
#include "kernels/cpu/knn_tile.h"
#include "kernels/rows.h"

namespace nightshift::kernels {

/// A bank as the CPU's filter sees it: centred on its mean, each row as whole numbers of 16 bits and a
/// factor, in panels of as many rows as a tile holds.
///
/// A row is scaled so that its length is at most 46,340 - sqrt(d) / 2 and its largest value 32,767, then
/// rounded: lengths of whole rows are at most 46,340, so sums of their products, in any order, fit 31 bits.
/// Rounding moves a row by at most sqrt(d) / 2 of lengths that are at least 32,000 (as one of the two limits
/// is reached): r = sqrt(d) / 64,000 of its length. So what the filter computes of a squared distance |q|^2 +
/// |b|^2 - 2 q.b is off by at most unit (|q|^2 + |b|^2) + tiny: 2 ((1 + r)^2 - 1) |q||b| for the factors, and
/// |q||b| <= (|q|^2 + |b|^2) / 2; norms, factors, products, the last sum and limits are rounded to single
/// precision, 16 u at most (u = 2^-24). unit = 2 r + r^2 + 16 u.
///
/// Rows shorter than `kShort` are scaled as if they had that length, so the same holds with kShort^2 more on
/// either side: tiny = 2 unit kShort^2.
struct KnnFixedBank {
    bool is_usable = false;  ///< else only the plain loop is exact
    KnnTile tile{};
    std::int64_t panels = 0, pairs = 0;
    KnnCentre centre;
    std::vector<KnnPair> values;   ///< [panels, pairs, tile.rows]
    std::vector<float> factors;    ///< minus two times what a whole number is
    std::vector<float> low_norms;  ///< |b|^2 less its part of the error; infinite beyond the last row
    std::vector<float> widths;     ///< from the least to the most, the bank row's part
    double unit = 0, tiny = 0;
    double spread = 0;  ///< the largest |b|^2

    KnnTilePanel panel(std::int64_t index) const {
        const std::int64_t first = index * tile.rows;
        return {values.data() + first * pairs, factors.data() + first, low_norms.data() + first};
    }
};

template <typename T>
KnnFixedBank pack_fixed_bank(Rows<T> bank, const KnnTile& tile);

/// What is left of a row: about `factor` times its whole numbers.
struct KnnFixedRow {
    double norm;  ///< |row|^2, not rounded to whole numbers
    float factor;
};

/// Less the centre, as whole numbers in a column of `to` (which has `stride` pairs a row). `centred` has room
/// for one column more than the bank has. A row that is no number or longer than 3e18 is zeros.
template <typename T>
KnnFixedRow pack_fixed_row(const T* row, const KnnCentre& centre, std::int64_t stride, double* centred,
                           KnnPair* to);

}  // namespace nightshift::kernels
