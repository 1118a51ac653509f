#include "kernels/cpu/coreset_rows.h"

#include <algorithm>
#include <atomic>
#include <limits>

#include "kernels/cpu/coreset_checks.h"
#include "kernels/cpu/each_variant.h"
#include "kernels/cpu/in_threads.h"

namespace nightshift::kernels {
namespace {

#define NIGHTSHIFT_BODY "kernels/cpu/coreset_distance.inc"
#include "kernels/cpu/each_variant.inc"

/// Picks after which every row is brought up to date: it is read once for all of them.
constexpr std::size_t kWaitingMax = 64;
/// All rows are brought up to date once single ones were compared in one of so many of the pairs that this
/// takes: a pair costs some 20 times as much alone, and what single rows have seen is not saved later.
constexpr std::int64_t kAloneShare = 100;
/// Where more than one of so many pairs has to be measured, a filter only adds to the cost.
constexpr std::int64_t kMeasuredShare = 8;
constexpr std::int64_t kShareRowsMin = 4096;

}  // namespace

CoresetRows::CoresetRows(Rows<double> data, std::int64_t picks)
    : data_(data), variant_(cpu_variant()), panel_rows_(knn_tile().rows) {
    const auto rows = static_cast<std::size_t>(data.rows), high = static_cast<std::size_t>(panel_rows_);
    limits_.assign((rows + high - 1) / high * high, 0.0);
    std::fill_n(limits_.begin(), rows, std::numeric_limits<double>::infinity());
    owners_.assign(rows, 0);
    seen_.assign(rows, 0);
    if (!CoresetFilter::pays(data.rows, data.columns, picks)) return;
    filter_.emplace(data);
    if (filter_->is_usable())
        likely_.resize(rows);
    else
        filter_.reset();
}

void CoresetRows::take(std::int64_t row) {
    values_.push_back(data_.row(row));
    if (filter_) {
        filter_->take(values_.back());
        return;
    }
    std::vector<double>& gaps = gaps_.emplace_back(values_.size());
    NIGHTSHIFT_VARIANT_OF(measure_gaps, variant_)
    (values_.back(), values_.data(), values_.size(), data_.columns, gaps.data());
    gaps_at_.push_back(gaps.data());
}

CoresetPicks CoresetRows::picks() const {
    return {values_.data(), values_.size(), all_seen_, filter_ ? nullptr : gaps_at_.data()};
}

bool CoresetRows::are_all_due() const {
    const auto waiting = static_cast<std::int64_t>(values_.size() - all_seen_);
    if (waiting == 0) return false;
    if (all_seen_ == 0 || values_.size() - all_seen_ >= kWaitingMax) return true;
    return alone_ * kAloneShare > data_.rows * waiting;
}

bool CoresetRows::is_exact(std::int64_t row) const {
    const auto at = static_cast<std::size_t>(row);
    return static_cast<std::size_t>(seen_[at]) == values_.size() && (!filter_ || likely_[at].pick < 0);
}

/// The likely pick's distance, where there is one.
void CoresetRows::measure(std::size_t row) {
    Likely& likely = likely_[row];
    if (likely.pick < 0) return;
    const double squared = NIGHTSHIFT_VARIANT_OF(squared_distance_below, variant_)(
        data_.row(static_cast<std::int64_t>(row)), values_[static_cast<std::size_t>(likely.pick)],
        data_.columns, limits_[row]);
    if (squared <= limits_[row]) {
        limits_[row] = squared;
        owners_[row] = likely.pick;
    }
    likely.pick = -1;
}

void CoresetRows::catch_up(std::int64_t row) {
    const auto at = static_cast<std::size_t>(row);
    const CoresetPicks all = picks();
    if (filter_) measure(at);
    alone_ += static_cast<std::int64_t>(all.count) - seen_[at];
    NIGHTSHIFT_VARIANT_OF(catch_up, variant_)
    (data_.row(row), data_.columns, all, static_cast<std::size_t>(seen_[at]), limits_[at], owners_[at]);
    seen_[at] = static_cast<std::int32_t>(all.count);
}

/// Of the two picks that may be the row's nearest, the one that cannot be is forgotten; true where that could
/// not be told without measuring the earlier one.
bool CoresetRows::note(std::size_t row, const CoresetHit& hit) {
    const auto pick = static_cast<std::int32_t>(all_seen_) + hit.place;
    if (pick < seen_[row] || hit.least >= limits_[row]) return false;
    Likely& likely = likely_[row];
    const bool is_open = likely.pick >= 0 && hit.most > likely.least;
    if (is_open) measure(row);
    if (hit.least < limits_[row]) {
        likely = {hit.least, pick};
        limits_[row] = std::min(limits_[row], hit.most);
    }
    return is_open;
}

/// Gives the number of pairs that had to be measured.
std::int64_t CoresetRows::panel_catches_up(std::int64_t panel) {
    const std::int64_t first = panel * panel_rows_, end = std::min(first + panel_rows_, data_.rows);
    CoresetHit hits[kCoresetHitsMax];
    std::int64_t measured = 0;
    for (std::int64_t tile = 0; tile < filter_->taken(); tile += filter_->tile_picks()) {
        const std::size_t count = filter_->find(panel, tile, limits_.data() + first, hits);
        for (std::size_t i = 0; i < count; ++i)
            measured += note(static_cast<std::size_t>(first + hits[i].row), hits[i]) ? 1 : 0;
    }
    std::fill(seen_.begin() + first, seen_.begin() + end, static_cast<std::int32_t>(values_.size()));
    return measured;
}

/// work(first panel, last panel) for shares of all panels.
template <typename Work>
void CoresetRows::in_shares(int threads, const Work& work) {
    const std::int64_t panels = static_cast<std::int64_t>(limits_.size()) / panel_rows_;
    const std::int64_t shares = std::clamp<std::int64_t>(data_.rows / kShareRowsMin, 1, std::max(threads, 1));
    in_threads(static_cast<std::size_t>(shares), static_cast<int>(shares), [&] {
        return [&](std::size_t share) {
            const auto at = static_cast<std::int64_t>(share);
            work(panels * at / shares, panels * (at + 1) / shares);
        };
    });
}

void CoresetRows::all_catch_up(int threads) {
    std::atomic<std::int64_t> measured{0};
    in_shares(threads, [&](std::int64_t first, std::int64_t end) {
        if (filter_) {
            std::int64_t own = 0;
            for (std::int64_t p = first; p < end; ++p) own += panel_catches_up(p);
            measured += own;
            return;
        }
        const CoresetPicks all = picks();
        for (std::int64_t r = first * panel_rows_; r < std::min(end * panel_rows_, data_.rows); ++r) {
            const auto at = static_cast<std::size_t>(r);
            NIGHTSHIFT_VARIANT_OF(catch_up, variant_)
            (data_.row(r), data_.columns, all, static_cast<std::size_t>(seen_[at]), limits_[at], owners_[at]);
            seen_[at] = static_cast<std::int32_t>(all.count);
        }
    });
    const auto waited = static_cast<std::int64_t>(values_.size() - all_seen_);
    all_seen_ = values_.size();
    alone_ = 0;
    gaps_.clear();
    gaps_at_.clear();
    if (!filter_) return;
    filter_->forget_picks();
    if (measured * kMeasuredShare <= data_.rows * waited) return;
    measure_all(threads);
    filter_.reset();
    likely_ = {};
}

void CoresetRows::measure_all(int threads) {
    if (!filter_) return;
    in_shares(threads, [&](std::int64_t first, std::int64_t end) {
        for (std::int64_t r = first * panel_rows_; r < std::min(end * panel_rows_, data_.rows); ++r)
            measure(static_cast<std::size_t>(r));
    });
}

}  // namespace nightshift::kernels
