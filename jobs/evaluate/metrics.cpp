#include "jobs/evaluate/metrics.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "jobs/models/percentile.h"
#include "kernels/philox.h"

namespace nightshift::jobs {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
/// Philox draw kind of the bootstrap.
constexpr std::uint32_t kBootstrapDraw = 0xb007;
constexpr std::uint32_t kPairedDraw = 0xb00b;

/// Scores with how many of each class have exactly that score, falling.
struct Step {
    double score;
    std::int64_t positives, negatives;
};

std::vector<Step> steps_of(std::span<const int> labels, std::span<const double> scores) {
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    std::vector<Step> steps;
    for (const std::size_t i : order) {
        if (steps.empty() || steps.back().score != scores[i]) steps.push_back({scores[i], 0, 0});
        ++(labels[i] == 1 ? steps.back().positives : steps.back().negatives);
    }
    return steps;
}

struct Totals {
    std::int64_t positives = 0, negatives = 0;
};

Totals totals_of(const std::vector<Step>& steps) {
    Totals totals;
    for (const Step& step : steps) totals.positives += step.positives, totals.negatives += step.negatives;
    return totals;
}

double ratio(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// Pairs won by the positives, ties half, over all pairs. Integers, so exact until the division.
double auc_of(const std::vector<Step>& steps) {
    const Totals totals = totals_of(steps);
    if (totals.positives == 0 || totals.negatives == 0) return kNan;
    double twice = 0;
    std::int64_t positives_above = 0;
    for (const Step& step : steps) {
        twice +=
            static_cast<double>(step.negatives) * static_cast<double>(2 * positives_above + step.positives);
        positives_above += step.positives;
    }
    return twice / 2 / (static_cast<double>(totals.positives) * static_cast<double>(totals.negatives));
}

/// Steps of one score, and which of them each row belongs to.
struct PlacedRows {
    std::vector<Step> steps;
    std::vector<std::size_t> place;
};

PlacedRows placed_rows(std::span<const int> labels, std::span<const double> scores) {
    PlacedRows out{steps_of(labels, scores), {}};
    for (const double score : scores) {
        const auto step = std::lower_bound(out.steps.begin(), out.steps.end(), score,
                                           [](const Step& s, double value) { return s.score > value; });
        out.place.push_back(static_cast<std::size_t>(step - out.steps.begin()));
    }
    return out;
}

}  // namespace

double Confusion::precision() const {
    return ratio(true_positive, true_positive + false_positive);
}
double Confusion::recall() const {
    return ratio(true_positive, true_positive + false_negative);
}
double Confusion::f1() const {
    return ratio(2 * true_positive, 2 * true_positive + false_positive + false_negative);
}
double Confusion::false_positive_rate() const {
    return ratio(false_positive, false_positive + true_negative);
}
double PrPoint::f1() const {
    return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
}

double roc_auc(std::span<const int> labels, std::span<const double> scores) {
    return auc_of(steps_of(labels, scores));
}

double average_precision(std::span<const int> labels, std::span<const double> scores) {
    const std::vector<PrPoint> curve = pr_curve(labels, scores);
    if (curve.empty()) return kNan;
    double sum = 0, recall = 0;
    for (auto point = curve.rbegin(); point != curve.rend(); ++point) {
        sum += (point->recall - recall) * point->precision;
        recall = point->recall;
    }
    return sum;
}

double pr_auc_trapezoid(std::span<const int> labels, std::span<const double> scores) {
    const std::vector<PrPoint> curve = pr_curve(labels, scores);
    if (curve.empty()) return kNan;
    double sum = 0, recall = 0, precision = 1;
    for (auto point = curve.rbegin(); point != curve.rend(); ++point) {
        sum += (point->recall - recall) * (point->precision + precision) / 2;
        recall = point->recall;
        precision = point->precision;
    }
    return sum;
}

std::vector<RocPoint> roc_curve(std::span<const int> labels, std::span<const double> scores) {
    const std::vector<Step> steps = steps_of(labels, scores);
    const Totals totals = totals_of(steps);
    std::vector<RocPoint> curve{{std::numeric_limits<double>::infinity(), 0, 0}};
    Totals above;
    for (const Step& step : steps) {
        above.positives += step.positives;
        above.negatives += step.negatives;
        curve.push_back(
            {step.score, ratio(above.negatives, totals.negatives), ratio(above.positives, totals.positives)});
    }
    return curve;
}

std::vector<PrPoint> pr_curve(std::span<const int> labels, std::span<const double> scores) {
    const std::vector<Step> steps = steps_of(labels, scores);
    const Totals totals = totals_of(steps);
    std::vector<PrPoint> curve;
    if (totals.positives == 0) return curve;
    Totals above;
    for (const Step& step : steps) {
        above.positives += step.positives;
        above.negatives += step.negatives;
        curve.push_back({step.score, ratio(above.positives, above.positives + above.negatives),
                         ratio(above.positives, totals.positives)});
    }
    std::reverse(curve.begin(), curve.end());
    return curve;
}

Confusion confusion_at(std::span<const int> labels, std::span<const double> scores, double threshold) {
    Confusion out;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const bool is_called = scores[i] >= threshold;
        if (labels[i] == 1) {
            ++(is_called ? out.true_positive : out.false_negative);
        } else {
            ++(is_called ? out.false_positive : out.true_negative);
        }
    }
    return out;
}

PrPoint best_f1(const std::vector<PrPoint>& curve) {
    if (curve.empty()) return {kNan, kNan, kNan};
    return *std::max_element(curve.begin(), curve.end(),
                             [](const PrPoint& a, const PrPoint& b) { return a.f1() < b.f1(); });
}

PrPoint precision_first(const std::vector<PrPoint>& curve, double precision_min, double recall_min) {
    const PrPoint* best = nullptr;
    for (const PrPoint& point : curve) {
        if (point.precision < precision_min || point.recall < recall_min) continue;
        if (best == nullptr || point.recall > best->recall) best = &point;
    }
    if (best != nullptr) return *best;
    for (const PrPoint& point : curve) {
        if (point.recall < recall_min) continue;
        if (best == nullptr || point.precision > best->precision) best = &point;
    }
    return best != nullptr ? *best : PrPoint{kNan, kNan, kNan};
}

Interval roc_auc_interval(std::span<const int> labels, std::span<const double> scores, int resamples,
                          std::uint64_t seed) {
    std::vector<Step> steps = steps_of(labels, scores);
    const Totals totals = totals_of(steps);
    if (totals.positives == 0 || totals.negatives == 0) return {kNan, kNan};
    // Each sample of a class is named by the step it belongs to, so that a resample only counts.
    std::vector<std::uint32_t> positives, negatives;
    for (std::size_t s = 0; s < steps.size(); ++s) {
        positives.insert(positives.end(), static_cast<std::size_t>(steps[s].positives),
                         static_cast<std::uint32_t>(s));
        negatives.insert(negatives.end(), static_cast<std::size_t>(steps[s].negatives),
                         static_cast<std::uint32_t>(s));
    }
    std::vector<double> areas;
    for (int resample = 0; resample < resamples; ++resample) {
        for (Step& step : steps) step.positives = step.negatives = 0;
        const auto draw = [&](const std::vector<std::uint32_t>& places, std::uint32_t side, std::size_t i) {
            const kernels::PhiloxWords words = kernels::philox(
                {static_cast<std::uint32_t>(i), side, kBootstrapDraw, static_cast<std::uint32_t>(resample)},
                seed);
            return places[static_cast<std::size_t>(static_cast<std::uint64_t>(words.w0) * places.size() >>
                                                   32)];
        };
        for (std::size_t i = 0; i < positives.size(); ++i) ++steps[draw(positives, 1, i)].positives;
        for (std::size_t i = 0; i < negatives.size(); ++i) ++steps[draw(negatives, 0, i)].negatives;
        areas.push_back(auc_of(steps));
    }
    return {percentile(areas, 2.5), percentile(areas, 97.5)};
}

Interval roc_auc_difference_interval(std::span<const int> labels, std::span<const double> a,
                                     std::span<const double> b, int resamples, std::uint64_t seed) {
    std::array<std::vector<std::size_t>, 2> classes;
    for (std::size_t i = 0; i < labels.size(); ++i) classes[labels[i] == 1 ? 1 : 0].push_back(i);
    if (classes[0].empty() || classes[1].empty()) return {kNan, kNan};
    std::array<PlacedRows, 2> rows{placed_rows(labels, a), placed_rows(labels, b)};
    std::vector<double> differences;
    for (int resample = 0; resample < resamples; ++resample) {
        for (PlacedRows& each : rows) {
            for (Step& step : each.steps) step.positives = step.negatives = 0;
        }
        for (std::uint32_t side = 0; side < 2; ++side) {
            const std::vector<std::size_t>& members = classes[side];
            for (std::size_t i = 0; i < members.size(); ++i) {
                const kernels::PhiloxWords words = kernels::philox(
                    {static_cast<std::uint32_t>(i), side, kPairedDraw, static_cast<std::uint32_t>(resample)},
                    seed);
                const std::size_t row = members[static_cast<std::size_t>(
                    static_cast<std::uint64_t>(words.w0) * members.size() >> 32)];
                for (PlacedRows& each : rows) {
                    Step& step = each.steps[each.place[row]];
                    ++(side == 1 ? step.positives : step.negatives);
                }
            }
        }
        differences.push_back(auc_of(rows[0].steps) - auc_of(rows[1].steps));
    }
    return {percentile(differences, 2.5), percentile(differences, 97.5)};
}

}  // namespace nightshift::jobs
