#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/cpu/coreset_filter.h"
#include "kernels/cpu_variant.h"
#include "kernels/rows.h"

namespace nightshift::kernels {

/// Picks as a row sees them.
struct CoresetPicks {
    const double* const* rows;
    std::size_t count;
    std::size_t first_new;      ///< those before it were seen by every row
    const double* const* gaps;  ///< squared distances of pick first_new + i to those before it
};

/// How far every row is from its nearest pick, squared. A distance can only shrink, so a row that has not
/// seen the newest picks is no farther than its limit; single rows are brought up to date where that matters,
/// all of them after some picks, which costs far less for each.
///
/// With a filter a row takes no more than bounds from new picks: it keeps the one pick that may be nearer
/// than its limit, which is measured exactly where another one may be, too, or where that decides the next
/// pick. Without a filter new picks are ruled out by the triangle inequality.
///
/// Holds 16 bytes a row, with a filter 16 more and what that takes; without one the distances of the picks
/// that some row has not seen to all picks before them.
class CoresetRows {
  public:
    /// So many picks will be taken.
    CoresetRows(Rows<double> data, std::int64_t picks);

    std::int64_t rows() const { return data_.rows; }
    /// A new pick, which no row has seen.
    void take(std::int64_t row);

    /// No row has seen a pick yet, many picks wait, or single rows have cost a share of what all would.
    bool are_all_due() const;
    /// Every row sees every pick. The filter goes where it left too much to measure.
    void all_catch_up(int threads);
    /// The row sees every pick, and is exact.
    void catch_up(std::int64_t row);
    /// Every row that has seen every pick is exact.
    void measure_all(int threads);

    /// The row is no farther than this, and as far where it is exact.
    double limit(std::int64_t row) const { return limits_[static_cast<std::size_t>(row)]; }
    bool is_exact(std::int64_t row) const;
    bool has_filter() const { return filter_.has_value(); }

  private:
    /// The only pick that may be nearer than the row's limit says.
    struct Likely {
        double least = 0;
        std::int32_t pick = -1;  ///< -1: none
    };

    CoresetPicks picks() const;
    void measure(std::size_t row);
    bool note(std::size_t row, const CoresetHit& hit);
    std::int64_t panel_catches_up(std::int64_t panel);
    template <typename Work>
    void in_shares(int threads, const Work& work);

    Rows<double> data_;
    CpuVariant variant_;
    std::optional<CoresetFilter> filter_;
    std::int64_t panel_rows_;
    std::vector<double> limits_;         ///< 0 beyond the last row
    std::vector<std::int32_t> owners_;   ///< position of the nearest pick that was measured
    std::vector<std::int32_t> seen_;     ///< picks that the row has been compared with
    std::vector<Likely> likely_;         ///< with a filter
    std::vector<const double*> values_;  ///< of the picks
    std::size_t all_seen_ = 0;           ///< picks that every row has seen
    std::int64_t alone_ = 0;             ///< pairs that single rows were compared in since all caught up
    std::vector<std::vector<double>> gaps_;
    std::vector<const double*> gaps_at_;
};

}  // namespace nightshift::kernels
