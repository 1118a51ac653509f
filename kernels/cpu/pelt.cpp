#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/change_points.h"

namespace nightshift::kernels {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kPollEvery = 64;  ///< ends of segments between two looks at is_stopped

/// Squares about the mean of any stretch, in constant time. The series is centred first, so that sums of
/// squares do not cancel where its level is far above its spread.
class SquareCosts {
  public:
    explicit SquareCosts(std::span<const double> x) : sums_(x.size() + 1), squares_(x.size() + 1) {
        double mean = 0;
        for (const double value : x) mean += value;
        mean /= static_cast<double>(x.size());
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double value = x[i] - mean;
            sums_[i + 1] = sums_[i] + value;
            squares_[i + 1] = squares_[i] + value * value;
        }
    }

    double operator()(std::size_t first, std::size_t end) const {
        const double sum = sums_[end] - sums_[first];
        const double cost = squares_[end] - squares_[first] - sum * sum / static_cast<double>(end - first);
        return std::max(cost, 0.0);
    }

  private:
    std::vector<double> sums_, squares_;
};

/// Best costs of every beginning of the series, and where its last segment starts.
struct Search {
    explicit Search(std::size_t samples) : best(samples + 1, kInfinity), from(samples + 1, 0) { best[0] = 0; }

    Segmentation result() const {
        Segmentation out;
        out.cost = best.back();
        for (std::size_t end = from.back(); end > 0; end = from[end])
            out.change_points.push_back(static_cast<std::int64_t>(end));
        std::reverse(out.change_points.begin(), out.change_points.end());
        return out;
    }

    std::vector<double> best;
    std::vector<std::size_t> from;
};

Segmentation none() {
    return {{}, std::numeric_limits<double>::quiet_NaN()};
}

bool is_stopped(const PeltOptions& options, std::size_t turn) {
    return turn % kPollEvery == 0 && options.is_stopped && options.is_stopped();
}

}  // namespace

Segmentation pelt_compat(std::span<const double> x, const PeltOptions& options) {
    const auto n = x.size(), shortest = static_cast<std::size_t>(std::max(options.min_size, 1));
    const auto jump = static_cast<std::size_t>(std::max(options.jump, 1));
    if (n < 2 * shortest) return none();
    const SquareCosts cost(x);
    Search search(n);
    std::vector<std::size_t> ends;
    for (std::size_t end = 0; end < n; end += jump) {
        if (end >= shortest) ends.push_back(end);
    }
    ends.push_back(n);
    std::vector<std::size_t> candidates;
    std::vector<double> costs;
    for (std::size_t turn = 0; turn < ends.size(); ++turn) {
        if (is_stopped(options, turn)) return none();
        const std::size_t end = ends[turn];
        // Only places where a segment could end can start one; the others are never tried again.
        if (const std::size_t start = (end - shortest) / jump * jump; search.best[start] < kInfinity)
            candidates.push_back(start);
        costs.clear();
        for (const std::size_t start : candidates) {
            costs.push_back(search.best[start] + (cost(start, end) + options.pen));
            if (costs.back() < search.best[end]) {
                search.best[end] = costs.back();
                search.from[end] = start;
            }
        }
        std::size_t kept = 0;
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            if (costs[i] <= search.best[end] + options.pen) candidates[kept++] = candidates[i];
        }
        candidates.resize(kept);
    }
    return search.result();
}

Segmentation pelt_exact(std::span<const double> x, const PeltOptions& options) {
    const auto n = x.size(), shortest = static_cast<std::size_t>(std::max(options.min_size, 1));
    if (n < shortest || n == 0) return none();
    const SquareCosts cost(x);
    Search search(n);
    struct Candidate {
        std::size_t start;
        std::size_t last;  ///< no segment that ends beyond this starts here in an optimum
    };
    std::vector<Candidate> candidates;
    for (std::size_t end = shortest; end <= n; ++end) {
        if (is_stopped(options, end)) return none();
        if (search.best[end - shortest] < kInfinity) candidates.push_back({end - shortest, n});
        for (const Candidate& each : candidates) {
            const double total = search.best[each.start] + cost(each.start, end) + options.pen;
            if (total < search.best[end]) {
                search.best[end] = total;
                search.from[end] = each.start;
            }
        }
        // A start that is worse at `end` than a cut there stays worse, once a segment fits behind the cut.
        std::size_t kept = 0;
        for (const Candidate& each : candidates) {
            if (each.last <= end) continue;
            const bool is_worse = search.best[each.start] + cost(each.start, end) > search.best[end];
            const std::size_t last = is_worse ? std::min(each.last, end + shortest - 1) : each.last;
            if (last > end) candidates[kept++] = {each.start, last};
        }
        candidates.resize(kept);
    }
    return search.result();
}

}  // namespace nightshift::kernels
