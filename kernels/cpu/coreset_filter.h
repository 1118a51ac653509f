#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/cpu/knn_fixed_bank.h"
#include "kernels/rows.h"

namespace nightshift::kernels {

/// Between what the squared distance of a row and a pick lies, as double arithmetic computes it.
struct CoresetHit {
    double least, most;
    std::int32_t row;    ///< in its panel
    std::int32_t place;  ///< of the pick
};
/// The most that a filter's packed rows may take.
inline constexpr std::int64_t kCoresetFilterBytes = std::int64_t{256} << 20;
inline constexpr std::size_t kCoresetHitsMax = std::size_t{kKnnTileQueriesMax} * kKnnTileRowsMax;

/// The filter of `knn` with a coreset's rows as its bank and picks as its queries. Holds 2 bytes a value and
/// 12 a row; columns count as even, rows as whole panels.
///
/// With what the bank promises, a squared distance s is at least low_norm - 2 q.b + |q|^2 (1 - unit) - tiny.
/// Each row has a limit n of its own, so the tile is given low_norm - n (1 + 2 u) for low_norm, and tiny -
/// |q|^2 (1 - unit) as the pick's limit: it finds every s < n. Rounding that norm raises it by at most
/// u |b|^2 or by u n (1 + 2 u), of which the 2 u n take care; the last sum cannot be rounded to beyond a
/// limit that is a float itself.
///
/// A hit's bounds are s >= low - limit + n (1 - 2 u) and s <= low - limit + n (1 + 4 u) + width of the row +
/// 2 unit |q|^2. There the last sum's rounding counts, too: u (|b|^2 + 2 |q||b| + n).
///
/// In all, the two roundings take three of u (|b|^2 + |q|^2) beside the 8 that the bank has used of its 16;
/// sums of d squares in double are off by (d + 3) 2^-53 s, which is less than one more, and what underflows
/// in them is less than tiny.
class CoresetFilter {
  public:
    /// False where packing the rows costs more than so few picks do, or takes more than kCoresetFilterBytes.
    static bool pays(std::int64_t rows, std::int64_t columns, std::int64_t picks);

    explicit CoresetFilter(Rows<double> data);

    /// False where no bound holds for the rows; then nothing else may be called.
    bool is_usable() const { return bank_.is_usable; }
    int panel_rows() const { return bank_.tile.rows; }
    /// Picks that `find` looks at together.
    int tile_picks() const { return bank_.tile.queries; }

    /// One more pick, a row of the data, at the next place.
    void take(const double* pick);
    /// The next place is 0 again.
    void forget_picks();
    std::int64_t taken() const { return taken_; }

    /// Pairs of a panel's row and a pick whose squared distance may be less than the row's `limits` [panel
    /// rows], which are at least 0, or infinite, and 0 beyond the last row. Of the tile of picks that begins
    /// at `first`, a multiple of tile_picks(). Gives their number; `hits` has room for kCoresetHitsMax.
    std::size_t find(std::int64_t panel, std::int64_t first, const double* limits, CoresetHit* hits) const;

  private:
    KnnFixedBank bank_;
    double square_max_;  ///< beyond every squared distance
    std::vector<double> centred_;
    std::int64_t taken_ = 0;
    std::vector<KnnPair> picks_;      ///< [tiles, pairs, tile.queries]
    std::vector<float> factors_;      ///< [tiles, tile.queries]
    std::vector<float> pick_limits_;  ///< no number where there is no pick
    std::vector<double> widths_;      ///< from the least to the most, the pick's part
};

}  // namespace nightshift::kernels
