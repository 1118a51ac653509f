#include "jobs/models/ensemble_rules.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "jobs/models/percentile.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

constexpr int kThresholds = 100;
constexpr double kPercentileMin = 50, kPercentileMax = 99.9;
constexpr double kNormalPercentile = 95;
constexpr int kAlphas = 10;
constexpr double kBalancedRecallMin = 0.7;

double sum_of(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}

/// Appends to `out` every way to share `left` parts among the models from `begin.size()` on.
void share(std::vector<double>& begin, std::size_t count, int left, int parts,
           std::vector<std::vector<double>>& out) {
    if (begin.size() + 1 == count) {
        begin.push_back(static_cast<double>(left) / parts);
        out.push_back(begin);
        begin.pop_back();
        return;
    }
    for (int mine = 0; mine <= left; ++mine) {
        begin.push_back(static_cast<double>(mine) / parts);
        share(begin, count, left - mine, parts, out);
        begin.pop_back();
    }
}

ScoreColumns scaled_by_itself(const ScoreColumns& columns) {
    ScoreColumns out;
    for (const auto& column : columns) out.push_back(scaled(column, range_of(column)));
    return out;
}

}  // namespace

ScoreRange range_of(std::span<const double> scores) {
    if (scores.empty()) return {};
    const auto [low, high] = std::minmax_element(scores.begin(), scores.end());
    return {*low, *high};
}

std::vector<double> scaled(std::span<const double> scores, const ScoreRange& range) {
    std::vector<double> out(scores.size());
    const double spread = range.high - range.low;
    if (!(spread > 0)) return out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = (scores[i] - range.low) / spread;
    return out;
}

std::vector<double> weighted(const ScoreColumns& columns, std::span<const double> weights) {
    const double sum = sum_of(weights);
    std::vector<double> out(columns.front().size());
    for (std::size_t m = 0; m < columns.size(); ++m) {
        const double own = sum > 0 ? weights[m] / sum : 1 / static_cast<double>(columns.size());
        for (std::size_t i = 0; i < out.size(); ++i) out[i] += own * columns[m][i];
    }
    return out;
}

std::vector<double> largest(const ScoreColumns& columns) {
    std::vector<double> out = columns.front();
    for (const auto& column : columns) {
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::max(out[i], column[i]);
    }
    return out;
}

std::vector<double> stacked(const ScoreColumns& columns, std::span<const double> weights, double intercept) {
    std::vector<double> out(columns.front().size(), intercept);
    for (std::size_t m = 0; m < columns.size(); ++m) {
        for (std::size_t i = 0; i < out.size(); ++i) out[i] += weights[m] * columns[m][i];
    }
    return out;
}

std::vector<double> probabilities(std::span<const double> log_odds) {
    std::vector<double> out;
    for (const double each : log_odds) out.push_back(1 / (1 + std::exp(-each)));
    return out;
}

std::vector<std::vector<double>> weight_grid(std::size_t count) {
    std::vector<std::vector<double>> out;
    std::vector<double> begin;
    const int parts = count <= 3 ? 10 : 5;
    share(begin, count, parts, parts, out);
    const std::vector<double> even(count, 1 / static_cast<double>(count));
    out.push_back(even);
    const auto squares = [](const std::vector<double>& weights) {
        return std::inner_product(weights.begin(), weights.end(), weights.begin(), 0.0);
    };
    std::stable_sort(out.begin(), out.end(),
                     [&](const auto& a, const auto& b) { return squares(a) < squares(b); });
    return out;
}

SearchTarget target_of(std::string_view word) {
    if (word == "f1") return SearchTarget::kF1;
    if (word == "precision") return SearchTarget::kPrecision;
    if (word == "recall") return SearchTarget::kRecall;
    if (word == "balanced") return SearchTarget::kBalanced;
    throw JobError("bad_param",
                   "target is '" + std::string(word) + "'; it can be f1, precision, recall or balanced");
}

double measure(std::span<const double> normals, std::span<const double> damaged, double threshold,
               SearchTarget target) {
    const auto is_called = [&](double score) { return score > threshold; };
    const auto hits = static_cast<double>(std::count_if(damaged.begin(), damaged.end(), is_called));
    const auto alarms = static_cast<double>(std::count_if(normals.begin(), normals.end(), is_called));
    const double precision = hits + alarms > 0 ? hits / (hits + alarms) : 0;
    const double recall = damaged.empty() ? 0 : hits / static_cast<double>(damaged.size());
    if (target == SearchTarget::kPrecision) return precision;
    if (target == SearchTarget::kRecall) return recall;
    if (target == SearchTarget::kBalanced && recall < kBalancedRecallMin) return 0;
    return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
}

double reference_threshold(std::span<const double> normals, std::span<const double> damaged,
                           SearchTarget target) {
    double best = -1, threshold = 0;
    for (int i = 0; i < kThresholds; ++i) {
        const double share = static_cast<double>(i) / (kThresholds - 1);
        const double candidate =
            percentile(normals, kPercentileMin + (kPercentileMax - kPercentileMin) * share);
        const double value = measure(normals, damaged, candidate, target);
        if (value > best) best = value, threshold = candidate;
    }
    return threshold;
}

std::vector<double> reference_weights(const ScoreColumns& normals, const ScoreColumns& damaged,
                                      SearchTarget target) {
    if (normals.size() != 2)
        throw JobError("bad_param", "compat weighs two models, not " + std::to_string(normals.size()) +
                                        "; leave compat out");
    const ScoreColumns own_normals = scaled_by_itself(normals), own_damaged = scaled_by_itself(damaged);
    double best = 0;
    std::vector<double> out{0.5, 0.5};
    for (int i = 0; i <= kAlphas; ++i) {
        const double alpha = static_cast<double>(i) / kAlphas;
        const std::vector<double> weights{alpha, 1 - alpha}, mixed = weighted(own_normals, weights);
        const double value =
            measure(mixed, weighted(own_damaged, weights), percentile(mixed, kNormalPercentile), target);
        if (value > best) best = value, out = weights;
    }
    return out;
}

}  // namespace nightshift::jobs
