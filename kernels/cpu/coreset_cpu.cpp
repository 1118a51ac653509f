#include "kernels/coreset.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernels/cpu/coreset_checks.h"
#include "kernels/cpu/each_variant.h"
#include "kernels/cpu/in_threads.h"

namespace nightshift::kernels {
namespace {

struct NearestPick {
    double squared = std::numeric_limits<double>::infinity();
    std::int32_t owner = 0;  ///< its position among the picks
};

struct PicksSoFar {
    const double* const* rows;
    std::size_t count;
    /// Squared distances of pick first_gap + i to those before it.
    const double* const* gaps;
    std::size_t first_gap;
};

#define NIGHTSHIFT_BODY "kernels/cpu/coreset_distance.inc"
#include "kernels/cpu/each_variant.inc"

/// Picks after which every row is brought up to date: it is read once for all of them. Fewer at first, when
/// each pick is nearer to most rows than those before.
constexpr std::size_t kEraMax = 64, kEraShare = 4;
constexpr std::int64_t kShareRowsMin = 4096;

/// A row's distance can only shrink, so one that has not seen the newest picks lies no farther than was
/// known. Only the row that seems farthest is brought up to date; if it still is, it is the next pick.
class Greedy {
  public:
    Greedy(Rows<double> data, std::int64_t count, int threads)
        : data_(data),
          count_(static_cast<std::size_t>(count)),
          shares_(static_cast<std::size_t>(
              std::clamp<std::int64_t>(data.rows / kShareRowsMin, 1, std::max(threads, 1)))),
          nearest_(static_cast<std::size_t>(data.rows)),
          seen_(static_cast<std::size_t>(data.rows), 0),
          is_picked_(static_cast<std::size_t>(data.rows), 0) {
        const CpuVariant variant = cpu_variant();
        measure_gaps_ = NIGHTSHIFT_VARIANT_OF(measure_gaps, variant);
        catch_up_ = NIGHTSHIFT_VARIANT_OF(catch_up, variant);
    }

    Coreset run(std::int64_t start, const CoresetProgress& progress) {
        pick({0.0, start});
        while (true) {
            const std::size_t picked = out_.picks.size();
            if (picked == count_ || (progress && !progress(static_cast<std::int64_t>(picked)))) break;
            if (gaps_.size() >= era_) begin_era();
            pick(take_farthest());
        }
        all_catch_up();
        out_.remaining.reserve(nearest_.size());
        for (const NearestPick& nearest : nearest_) out_.remaining.push_back(std::sqrt(nearest.squared));
        return std::move(out_);
    }

  private:
    struct Candidate {
        double squared;
        std::int64_t row;
        /// The farthest first, the lowest row of equals: the order of a heap.
        bool operator<(const Candidate& other) const {
            return squared != other.squared ? squared < other.squared : row > other.row;
        }
    };

    void pick(const Candidate& farthest) {
        out_.picks.push_back(farthest.row);
        out_.distances.push_back(std::sqrt(farthest.squared));
        is_picked_[static_cast<std::size_t>(farthest.row)] = 1;
        rows_.push_back(data_.row(farthest.row));
        std::vector<double>& gaps = gaps_.emplace_back(rows_.size());
        measure_gaps_(rows_.back(), rows_.data(), rows_.size(), data_.columns, gaps.data());
        gaps_at_.push_back(gaps.data());
    }

    PicksSoFar so_far() const {
        return {rows_.data(), rows_.size(), gaps_at_.data(), rows_.size() - gaps_.size()};
    }

    void row_catches_up(std::size_t row, const PicksSoFar& picks) {
        catch_up_(data_.row(static_cast<std::int64_t>(row)), data_.columns, picks, seen_[row], nearest_[row]);
        seen_[row] = static_cast<std::int32_t>(picks.count);
    }

    void all_catch_up() {
        const PicksSoFar picks = so_far();
        const auto work = [&](std::size_t share) {
            const std::size_t rows = nearest_.size(), end = rows * (share + 1) / shares_;
            for (std::size_t r = rows * share / shares_; r < end; ++r) row_catches_up(r, picks);
        };
        in_threads(shares_, static_cast<int>(shares_), [&] { return work; });
    }

    /// Every row has seen all picks, and the heap knows how far each is.
    void begin_era() {
        all_catch_up();
        era_ = std::clamp<std::size_t>(rows_.size() / kEraShare, 1, kEraMax);
        gaps_.clear();
        gaps_at_.clear();
        heap_.clear();
        for (std::size_t r = 0; r < nearest_.size(); ++r) {
            if (is_picked_[r] == 0) heap_.push_back({nearest_[r].squared, static_cast<std::int64_t>(r)});
        }
        std::make_heap(heap_.begin(), heap_.end());
    }

    /// There is one: fewer rows are picked than there are.
    Candidate take_farthest() {
        const PicksSoFar picks = so_far();
        while (true) {
            std::pop_heap(heap_.begin(), heap_.end());
            Candidate& last = heap_.back();
            const auto row = static_cast<std::size_t>(last.row);
            if (static_cast<std::size_t>(seen_[row]) == picks.count) {
                const Candidate farthest = last;
                heap_.pop_back();
                return farthest;
            }
            row_catches_up(row, picks);
            last.squared = nearest_[row].squared;
            std::push_heap(heap_.begin(), heap_.end());
        }
    }

    Rows<double> data_;
    std::size_t count_;
    std::size_t shares_;
    std::vector<NearestPick> nearest_;
    std::vector<std::int32_t> seen_;  ///< picks that the row has been compared with
    std::vector<char> is_picked_;
    std::vector<const double*> rows_;  ///< of the picks
    std::vector<std::vector<double>> gaps_;
    std::vector<const double*> gaps_at_;
    std::vector<Candidate> heap_;
    std::size_t era_ = 1;
    Coreset out_;
    decltype(&scalar::measure_gaps) measure_gaps_;
    decltype(&scalar::catch_up) catch_up_;
};

}  // namespace

void check_coreset(Rows<double> data, std::int64_t count, std::int64_t start) {
    const std::string sizes = "coreset: " + std::to_string(count) + " of [" + std::to_string(data.rows) +
                              ", " + std::to_string(data.columns) + "], start " + std::to_string(start);
    // The position of a pick is an int32 for each row, and offsets are computed in 64 bits.
    const bool fits = data.columns >= 1 && data.columns <= kCoresetColumnsMax && data.rows >= 1 &&
                      data.rows <= std::numeric_limits<std::int64_t>::max() / 8 / data.columns;
    if (!fits || count < 1 || count > data.rows || count > std::numeric_limits<std::int32_t>::max() ||
        start < 0 || start >= data.rows)
        throw std::invalid_argument(sizes + ": the sizes do not fit");
    const double* const end = data.row(data.rows);
    const double* const odd =
        std::find_if(data.data, end, [](double value) { return !std::isfinite(value); });
    if (odd != end)
        throw std::invalid_argument(sizes + ": row " + std::to_string((odd - data.data) / data.columns) +
                                    " has a value that is not finite");
}

Coreset greedy_coreset_cpu(Rows<double> data, std::int64_t count, std::int64_t start, int threads,
                           const CoresetProgress& progress) {
    check_coreset(data, count, start);
    return Greedy(data, count, threads).run(start, progress);
}

}  // namespace nightshift::kernels
