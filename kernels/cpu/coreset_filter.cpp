#include "kernels/cpu/coreset_filter.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace nightshift::kernels {

namespace {

constexpr double kTwoRoundings = 0x1p-23;  ///< of single precision
/// (2 |b|)^2 of the longest row, and more than all that is rounded on the way.
constexpr double kSquareShare = 4.1;
constexpr std::int64_t kPicksMin = 16;
constexpr std::int64_t kRowBytes = 3 * sizeof(float), kPairBytes = sizeof(KnnPair);

}  // namespace

bool CoresetFilter::pays(std::int64_t rows, std::int64_t columns, std::int64_t picks) {
    return picks >= kPicksMin && rows <= kCoresetFilterBytes / (kRowBytes + (columns + 1) / 2 * kPairBytes);
}

CoresetFilter::CoresetFilter(Rows<double> data)
    : bank_(pack_fixed_bank(data, knn_tile())),
      square_max_(kSquareShare * bank_.spread + bank_.tiny),
      centred_(static_cast<std::size_t>(data.columns) + 1) {}

void CoresetFilter::take(const double* pick) {
    const std::int64_t wide = tile_picks();
    const auto place = static_cast<std::size_t>(taken_);
    if (place == factors_.size()) {
        const std::size_t places = place + static_cast<std::size_t>(wide);
        picks_.resize(places * static_cast<std::size_t>(bank_.pairs));
        factors_.resize(places);
        pick_limits_.resize(places, std::numeric_limits<float>::quiet_NaN());
        widths_.resize(places);
    }
    KnnPair* to = picks_.data() + taken_ / wide * wide * bank_.pairs + taken_ % wide;
    const KnnFixedRow packed = pack_fixed_row(pick, bank_.centre, wide, centred_.data(), to);
    factors_[place] = packed.factor;
    pick_limits_[place] = static_cast<float>(bank_.tiny - packed.norm * (1 - bank_.unit));
    widths_[place] = 2 * bank_.unit * packed.norm;
    ++taken_;
}

void CoresetFilter::forget_picks() {
    taken_ = 0;
    std::fill(pick_limits_.begin(), pick_limits_.end(), std::numeric_limits<float>::quiet_NaN());
}

std::size_t CoresetFilter::find(std::int64_t panel, std::int64_t first, const double* limits,
                                CoresetHit* hits) const {
    const int high = panel_rows();
    KnnTilePanel rows = bank_.panel(panel);
    const float* widths = bank_.widths.data() + panel * high;
    double known[kKnnTileRowsMax];
    float norms[kKnnTileRowsMax], lows[kKnnTileQueriesMax * kKnnTileRowsMax];
    std::uint32_t found_rows[kKnnTileQueriesMax];
    for (int r = 0; r < high; ++r) {
        known[r] = std::min(limits[r], square_max_);
        norms[r] =
            static_cast<float>(static_cast<double>(rows.low_norms[r]) - known[r] * (1 + kTwoRoundings));
    }
    rows.low_norms = norms;
    const KnnTileQueries picks{picks_.data() + first * bank_.pairs, factors_.data() + first,
                               pick_limits_.data() + first};
    std::uint32_t found = bank_.tile.run(picks, rows, bank_.pairs, lows, found_rows);
    std::size_t count = 0;
    for (; found != 0; found &= found - 1) {
        const int q = std::countr_zero(found);
        const auto place = static_cast<std::int32_t>(first + q);
        const double limit = static_cast<double>(picks.limits[q]);
        for (std::uint32_t left = found_rows[q]; left != 0; left &= left - 1) {
            const int r = std::countr_zero(left);
            const double over = static_cast<double>(lows[q * high + r]) - limit;
            const double width = static_cast<double>(widths[r]) + widths_[static_cast<std::size_t>(place)];
            hits[count++] = {over + known[r] * (1 - kTwoRoundings),
                             over + known[r] * (1 + 2 * kTwoRoundings) + width, r, place};
        }
    }
    return count;
}

}  // namespace nightshift::kernels
