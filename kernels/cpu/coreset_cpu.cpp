#include "kernels/coreset.h"

#include <algorithm>
#include <barrier>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>

#include "kernels/cpu/coreset_checks.h"

namespace nightshift::kernels {
namespace {

constexpr std::int64_t kChunk = kCoresetChunk;

/// Squared distance, or any value above `limit` once the sum has passed it. The four sums are always
/// added in the same order, so a value below the limit is that of the full loop.
double squared_distance_below(const double* a, const double* b, std::int64_t columns, double limit) {
    double sums[4] = {0, 0, 0, 0};
    std::int64_t j = 0;
    for (; j + kChunk <= columns; j += kChunk) {
        for (std::int64_t i = j; i < j + kChunk; i += 4) {
            for (int lane = 0; lane < 4; ++lane) {
                const double difference = a[i + lane] - b[i + lane];
                sums[lane] += difference * difference;
            }
        }
        const double sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        if (sum > limit) return sum;
    }
    for (int lane = 0; j < columns; ++j, lane = (lane + 1) % 4) {
        const double difference = a[j] - b[j];
        sums[lane] += difference * difference;
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

struct Farthest {
    double squared = -1;
    std::int64_t row = -1;
};

/// One thread's share of the rows.
struct Share {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    Farthest farthest;
};

class Greedy {
  public:
    Greedy(Rows<double> data, std::int64_t count, std::int64_t start)
        : data_(data),
          count_(count),
          nearest_(static_cast<std::size_t>(data.rows), std::numeric_limits<double>::infinity()),
          owner_(static_cast<std::size_t>(data.rows), 0),
          is_picked_(static_cast<std::size_t>(data.rows), 0) {
        pick({0.0, start});
    }

    Coreset run(int threads, const CoresetProgress& progress) {
        const std::int64_t parts = std::clamp<std::int64_t>(data_.rows / 4096, 1, std::max(threads, 1));
        std::vector<Share> shares(static_cast<std::size_t>(parts));
        for (std::int64_t p = 0; p < parts; ++p) {
            shares[static_cast<std::size_t>(p)] = {data_.rows * p / parts, data_.rows * (p + 1) / parts, {}};
        }
        bool is_done = false;
        const auto advance = [&]() noexcept { is_done = !choose(shares, progress); };
        std::barrier ready(parts, advance);
        const auto work = [&](Share& share) {
            while (!is_done) {
                update(share);
                ready.arrive_and_wait();
            }
        };
        std::vector<std::thread> others;
        for (std::size_t p = 1; p < shares.size(); ++p) others.emplace_back([&, p] { work(shares[p]); });
        work(shares[0]);
        for (std::thread& other : others) other.join();
        out_.remaining.resize(nearest_.size());
        std::transform(nearest_.begin(), nearest_.end(), out_.remaining.begin(),
                       [](double squared) { return std::sqrt(squared); });
        return std::move(out_);
    }

  private:
    void pick(Farthest farthest) {
        out_.picks.push_back(farthest.row);
        out_.distances.push_back(std::sqrt(farthest.squared));
        is_picked_[static_cast<std::size_t>(farthest.row)] = 1;
        // Distance from the new pick to the earlier ones, for the triangle inequality.
        const double* row = data_.row(farthest.row);
        to_picks_.clear();
        for (const std::int64_t other : out_.picks) {
            to_picks_.push_back(squared_distance_below(row, data_.row(other), data_.columns,
                                                       std::numeric_limits<double>::infinity()));
        }
    }

    void update(Share& share) {
        const std::int64_t newest = out_.picks.back();
        const auto owner = static_cast<std::int32_t>(out_.picks.size() - 1);
        share.farthest = {};
        for (std::int64_t r = share.begin; r < share.end; ++r) {
            const auto at = static_cast<std::size_t>(r);
            // |new - row| >= |new - owner| - |owner - row|; nothing to gain when that is >= |owner - row|.
            const double gap = to_picks_[static_cast<std::size_t>(owner_[at])];
            if (owner == 0 || kCoresetSafety * gap < 4 * nearest_[at]) {
                const double squared =
                    squared_distance_below(data_.row(r), data_.row(newest), data_.columns, nearest_[at]);
                if (squared < nearest_[at]) {
                    nearest_[at] = squared;
                    owner_[at] = owner;
                }
            }
            if (!is_picked_[at] && nearest_[at] > share.farthest.squared) share.farthest = {nearest_[at], r};
        }
    }

    bool choose(const std::vector<Share>& shares, const CoresetProgress& progress) {
        const auto picked = static_cast<std::int64_t>(out_.picks.size());
        if (picked == count_) return false;
        if (progress && !progress(picked)) return false;
        Farthest farthest;
        for (const Share& share : shares) {
            if (share.farthest.squared > farthest.squared) farthest = share.farthest;
        }
        pick(farthest);
        return true;
    }

    Rows<double> data_;
    std::int64_t count_;
    std::vector<double> nearest_;      ///< squared
    std::vector<std::int32_t> owner_;  ///< position in picks of the nearest pick
    std::vector<char> is_picked_;
    std::vector<double> to_picks_;
    Coreset out_;
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
    return Greedy(data, count, start).run(threads, progress);
}

}  // namespace nightshift::kernels
