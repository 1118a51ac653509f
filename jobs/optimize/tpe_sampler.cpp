#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "jobs/optimize/samplers.h"
#include "kernels/draws.h"

namespace nightshift::jobs {
namespace {

constexpr double kGoodShare = 0.1;
constexpr std::size_t kGoodMax = 25;
constexpr int kDrawsMax = 100;  ///< for one number inside its range; the ends catch the rest

double below_normal(double x) {
    return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

/// A mixture of normals cut off at the ends of the range: one a trial, and one over the whole range.
class Mixture {
  public:
    Mixture(std::vector<double> centres, double low, double high) : low_(low), high_(high) {
        std::sort(centres.begin(), centres.end());
        const double range = high - low;
        const auto count = static_cast<double>(centres.size());
        const double narrowest = range / std::min(100.0, 1.0 + count);
        for (std::size_t i = 0; i < centres.size(); ++i) {
            const double left = i == 0 ? low : centres[i - 1];
            const double right = i + 1 == centres.size() ? high : centres[i + 1];
            const double width = std::max(centres[i] - left, right - centres[i]);
            add(centres[i], std::clamp(width, narrowest, range));
        }
        add((low + high) / 2, range);
    }

    double draw(kernels::Draws& draws) const {
        const auto i = draws.below(static_cast<std::uint32_t>(centres_.size()));
        double value = centres_[i];
        for (int tries = 0; tries < kDrawsMax; ++tries) {
            value = draws.normal(centres_[i], widths_[i]);
            if (value >= low_ && value <= high_) return value;
        }
        return std::clamp(value, low_, high_);
    }

    double log_density(double x) const {
        double sum = 0;
        for (std::size_t i = 0; i < centres_.size(); ++i) {
            const double z = (x - centres_[i]) / widths_[i];
            sum += std::exp(-0.5 * z * z) / (widths_[i] * masses_[i]);
        }
        return std::log(sum / static_cast<double>(centres_.size()));
    }

  private:
    void add(double centre, double width) {
        centres_.push_back(centre);
        widths_.push_back(width);
        masses_.push_back(below_normal((high_ - centre) / width) - below_normal((low_ - centre) / width));
    }

    double low_, high_;
    std::vector<double> centres_, widths_, masses_;
};

double pick_number(const Dimension& dimension, const std::vector<double>& good,
                   const std::vector<double>& bad, kernels::Draws& draws, int candidates) {
    const auto mixture_of = [&](const std::vector<double>& values) {
        std::vector<double> inner;
        for (const double value : values) inner.push_back(dimension.inner(value));
        return Mixture(std::move(inner), dimension.inner(dimension.low), dimension.inner(dimension.high));
    };
    const Mixture hopeful = mixture_of(good), other = mixture_of(bad);
    double best = dimension.low, best_ratio = -std::numeric_limits<double>::infinity();
    for (int i = 0; i < candidates; ++i) {
        const double value = dimension.outer(hopeful.draw(draws));
        const double at = dimension.inner(value);
        const double ratio = hopeful.log_density(at) - other.log_density(at);
        if (ratio > best_ratio) {
            best_ratio = ratio;
            best = value;
        }
    }
    return best;
}

double pick_word(const Dimension& dimension, const std::vector<double>& good, const std::vector<double>& bad,
                 kernels::Draws& draws, int candidates) {
    // Every word counts once more than it was seen, so that none is given up.
    const auto shares_of = [&](const std::vector<double>& values) {
        std::vector<double> shares(dimension.words.size(), 1.0);
        for (const double value : values) shares[static_cast<std::size_t>(value)] += 1.0;
        const double all = std::accumulate(shares.begin(), shares.end(), 0.0);
        for (double& share : shares) share /= all;
        return shares;
    };
    const std::vector<double> hopeful = shares_of(good), other = shares_of(bad);
    std::size_t best = 0;
    double best_ratio = -1;
    for (int i = 0; i < candidates; ++i) {
        double left = draws.uniform(0, 1);
        std::size_t word = 0;
        while (word + 1 < hopeful.size() && left >= hopeful[word]) left -= hopeful[word++];
        const double ratio = hopeful[word] / other[word];
        if (ratio > best_ratio) {
            best_ratio = ratio;
            best = word;
        }
    }
    return static_cast<double>(best);
}

}  // namespace

Point tpe_point(const SearchSpace& space, std::span<const Trial> done, std::uint64_t seed,
                const TpeOptions& options) {
    const auto number = static_cast<std::int64_t>(done.size());
    if (number < options.startup) return random_point(space, seed, number);
    std::vector<std::size_t> order(done.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    // What could not be evaluated is worse than anything that could; of equal ones the earlier is better.
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        if (std::isnan(done[a].value)) return false;
        return std::isnan(done[b].value) || done[a].value > done[b].value;
    });
    const auto share = static_cast<std::size_t>(std::ceil(kGoodShare * static_cast<double>(done.size())));
    const std::size_t good_count = std::min(share, kGoodMax);
    Point point;
    for (std::size_t d = 0; d < space.size(); ++d) {
        std::vector<double> good, bad;
        for (std::size_t i = 0; i < order.size(); ++i) {
            const Trial& trial = done[order[i]];
            const bool is_good = i < good_count && !std::isnan(trial.value);
            (is_good ? good : bad).push_back(trial.point[d]);
        }
        kernels::Draws draws(seed, static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(d));
        const Dimension& dimension = space[d];
        if (dimension.low == dimension.high) {
            point.push_back(dimension.low);
        } else if (dimension.kind == Dimension::Kind::kChoice) {
            point.push_back(pick_word(dimension, good, bad, draws, options.candidates));
        } else {
            point.push_back(pick_number(dimension, good, bad, draws, options.candidates));
        }
    }
    return point;
}

}  // namespace nightshift::jobs
