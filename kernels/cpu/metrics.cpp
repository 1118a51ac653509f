#include "kernels/metrics.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

#include "kernels/cpu/key_sort.h"
#include "kernels/cpu/score_keys.h"

namespace nightshift::kernels {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
using Keys = std::vector<std::uint64_t>;

double score_of(std::uint64_t key) {
    return std::bit_cast<double>(score_key(key));
}

double ratio(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// Calls visit(recall, precision) at every step, falling.
template <typename Visit>
void walk_recall(const ScoreSteps& steps, const Visit& visit) {
    std::int64_t positives = 0, called = 0;
    for (std::size_t s = 0; s < steps.size(); ++s) {
        positives += steps.positives[s];
        called += std::int64_t{steps.positives[s]} + steps.negatives[s];
        visit(ratio(positives, steps.positive_rows), ratio(positives, called));
    }
}

}  // namespace

void check_ranked(std::span<const int> labels, std::span<const double> scores) {
    if (labels.size() != scores.size() || scores.size() > kRankedRowsMax) {
        throw std::invalid_argument("ranking " + std::to_string(scores.size()) + " scores of " +
                                    std::to_string(labels.size()) + " labels: give one score a label, " +
                                    std::to_string(kRankedRowsMax) + " at most");
    }
}

ScoreSteps score_steps(std::span<const int> labels, std::span<const double> scores) {
    check_ranked(labels, scores);
    Keys positives, negatives, spare;
    positives.reserve(scores.size());
    negatives.reserve(scores.size());
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (std::isnan(scores[i])) return {};
        (labels[i] == 1 ? positives : negatives)
            .push_back(score_key(std::bit_cast<std::uint64_t>(scores[i])));
    }
    sort_keys(positives, spare);
    sort_keys(negatives, spare);
    ScoreSteps out;
    out.positive_rows = static_cast<std::int64_t>(positives.size());
    out.negative_rows = static_cast<std::int64_t>(negatives.size());
    for (std::size_t p = 0, n = 0; p < positives.size() || n < negatives.size();) {
        const bool is_positive =
            n == negatives.size() || (p < positives.size() && positives[p] < negatives[n]);
        const double score = score_of(is_positive ? positives[p++] : negatives[n++]);
        if (out.score.empty() || out.score.back() != score) {
            out.score.push_back(score);
            out.positives.push_back(0);
            out.negatives.push_back(0);
        }
        ++(is_positive ? out.positives : out.negatives).back();
    }
    return out;
}

double roc_auc(const ScoreSteps& steps) {
    if (steps.positive_rows == 0 || steps.negative_rows == 0) return kNan;
    std::uint64_t twice = 0, above = 0;
    for (std::size_t s = 0; s < steps.size(); ++s) {
        twice += steps.negatives[s] * (2 * above + steps.positives[s]);
        above += steps.positives[s];
    }
    return static_cast<double>(twice) / 2 /
           (static_cast<double>(steps.positive_rows) * static_cast<double>(steps.negative_rows));
}

double average_precision(const ScoreSteps& steps) {
    if (steps.positive_rows == 0) return kNan;
    double sum = 0, before = 0;
    walk_recall(steps, [&](double recall, double precision) {
        sum += (recall - before) * precision;
        before = recall;
    });
    return sum;
}

double pr_auc_trapezoid(const ScoreSteps& steps) {
    if (steps.positive_rows == 0) return kNan;
    double sum = 0, recall_before = 0, precision_before = 1;
    walk_recall(steps, [&](double recall, double precision) {
        sum += (recall - recall_before) * (precision + precision_before) / 2;
        recall_before = recall;
        precision_before = precision;
    });
    return sum;
}

std::vector<std::uint32_t> steps_of(const ScoreSteps& steps, std::span<const double> scores) {
    std::vector<std::uint32_t> out;
    out.reserve(scores.size());
    for (const double score : scores) {
        const auto step = std::lower_bound(steps.score.begin(), steps.score.end(), score, std::greater<>());
        out.push_back(static_cast<std::uint32_t>(step - steps.score.begin()));
    }
    return out;
}

}  // namespace nightshift::kernels
