#include "kernels/coreset.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernels/cpu/coreset_checks.h"
#include "kernels/cpu/coreset_rows.h"

namespace nightshift::kernels {
namespace {

/// The farthest rows of groups lie in a heap, which is so much smaller than one of all rows.
constexpr std::int64_t kGroupRows = 32;

struct Candidate {
    double squared;
    std::int64_t row;
    /// The farthest first, the lowest row of equals: the order of a heap.
    bool operator<(const Candidate& other) const {
        return squared != other.squared ? squared < other.squared : row > other.row;
    }
};

/// Only the row that seems farthest is brought up to date; if it still is, it is the next pick.
class Greedy {
  public:
    Greedy(Rows<double> data, std::int64_t count, int threads)
        : rows_(data, count),
          count_(static_cast<std::size_t>(count)),
          threads_(threads),
          is_picked_(static_cast<std::size_t>(data.rows), 0) {}

    Coreset run(std::int64_t start, const CoresetProgress& progress) {
        pick({0.0, start});
        while (true) {
            const std::size_t picked = out_.picks.size();
            if (picked == count_ || (progress && !progress(static_cast<std::int64_t>(picked)))) break;
            pick(take_farthest());
        }
        rows_.all_catch_up(threads_);
        rows_.measure_all(threads_);
        out_.remaining.reserve(is_picked_.size());
        for (std::int64_t r = 0; r < rows_.rows(); ++r) out_.remaining.push_back(std::sqrt(rows_.limit(r)));
        return std::move(out_);
    }

  private:
    void pick(const Candidate& farthest) {
        out_.picks.push_back(farthest.row);
        out_.distances.push_back(std::sqrt(farthest.squared));
        is_picked_[static_cast<std::size_t>(farthest.row)] = 1;
        rows_.take(farthest.row);
        enter(farthest.row / kGroupRows);
        std::push_heap(heap_.begin(), heap_.end());
    }

    /// There is one: fewer rows are picked than there are.
    Candidate take_farthest() {
        while (true) {
            if (rows_.are_all_due()) begin_era();
            std::pop_heap(heap_.begin(), heap_.end());
            const Candidate seeming = heap_.back();
            heap_.pop_back();
            if (rows_.is_exact(seeming.row)) return seeming;
            rows_.catch_up(seeming.row);
            enter(seeming.row / kGroupRows);
            std::push_heap(heap_.begin(), heap_.end());
        }
    }

    /// Every row has seen all picks, and the heap knows how far they are.
    void begin_era() {
        rows_.all_catch_up(threads_);
        heap_.clear();
        for (std::int64_t first = 0; first < rows_.rows(); first += kGroupRows) enter(first / kGroupRows);
        std::make_heap(heap_.begin(), heap_.end());
    }

    /// Puts the farthest row of a group that is not picked behind the heap; one that is, where there is no
    /// other, lies nearer than every row.
    void enter(std::int64_t group) {
        Candidate farthest{-1.0, group * kGroupRows};
        const std::int64_t end = std::min((group + 1) * kGroupRows, rows_.rows());
        for (std::int64_t r = group * kGroupRows; r < end; ++r) {
            if (is_picked_[static_cast<std::size_t>(r)] == 0 && rows_.limit(r) > farthest.squared)
                farthest = {rows_.limit(r), r};
        }
        heap_.push_back(farthest);
    }

    CoresetRows rows_;
    std::size_t count_;
    int threads_;
    std::vector<char> is_picked_;
    std::vector<Candidate> heap_;  ///< the farthest row of each group, but for the one just taken
    Coreset out_;
};

/// Without a branch a value: bits of the exponent that are all set carry into the sign.
bool is_finite(const double* values, std::int64_t count) {
    constexpr std::uint64_t kExponent = std::uint64_t{0x7ff} << 52, kLowest = std::uint64_t{1} << 52;
    std::uint64_t carried = 0;
    for (std::int64_t j = 0; j < count; ++j)
        carried |= (std::bit_cast<std::uint64_t>(values[j]) & kExponent) + kLowest;
    return carried >> 63 == 0;
}

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
    for (std::int64_t r = 0; r < data.rows; ++r) {
        if (!is_finite(data.row(r), data.columns))
            throw std::invalid_argument(sizes + ": row " + std::to_string(r) +
                                        " has a value that is not finite");
    }
}

Coreset greedy_coreset_cpu(Rows<double> data, std::int64_t count, std::int64_t start, int threads,
                           const CoresetProgress& progress) {
    check_coreset(data, count, start);
    return Greedy(data, count, threads).run(start, progress);
}

}  // namespace nightshift::kernels
