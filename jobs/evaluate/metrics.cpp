#include "jobs/evaluate/metrics.h"

#include <algorithm>
#include <array>
#include <limits>

#include "jobs/models/percentile.h"

namespace nightshift::jobs {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
/// Philox draw kind of the bootstrap.
constexpr std::uint32_t kBootstrapDraw = 0xb007;
constexpr std::uint32_t kPairedDraw = 0xb00b;

double ratio(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// Rows of both classes above a threshold.
struct Above {
    std::int64_t positives = 0, negatives = 0;

    void add(const kernels::ScoreSteps& steps, std::size_t s) {
        positives += steps.positives[s];
        negatives += steps.negatives[s];
    }
};

bool has_both(const kernels::ScoreSteps& steps) {
    return steps.positive_rows > 0 && steps.negative_rows > 0;
}

Interval middle_95(const std::vector<double>& values) {
    return {percentile(values, 2.5), percentile(values, 97.5)};
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
    return kernels::roc_auc(kernels::score_steps(labels, scores));
}

std::vector<RocPoint> roc_curve(const kernels::ScoreSteps& steps) {
    std::vector<RocPoint> curve{{std::numeric_limits<double>::infinity(), 0, 0}};
    curve.reserve(steps.size() + 1);
    Above above;
    for (std::size_t s = 0; s < steps.size(); ++s) {
        above.add(steps, s);
        curve.push_back({steps.score[s], ratio(above.negatives, steps.negative_rows),
                         ratio(above.positives, steps.positive_rows)});
    }
    return curve;
}

std::vector<PrPoint> pr_curve(const kernels::ScoreSteps& steps) {
    std::vector<PrPoint> curve;
    if (steps.positive_rows == 0) return curve;
    curve.reserve(steps.size());
    Above above;
    for (std::size_t s = 0; s < steps.size(); ++s) {
        above.add(steps, s);
        curve.push_back({steps.score[s], ratio(above.positives, above.positives + above.negatives),
                         ratio(above.positives, steps.positive_rows)});
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

Interval roc_auc_interval(const kernels::ScoreSteps& steps, int resamples, std::uint64_t seed) {
    if (!has_both(steps)) return {kNan, kNan};
    kernels::ClassPlaces places;
    for (std::size_t s = 0; s < steps.size(); ++s) {
        places.positives.insert(places.positives.end(), steps.positives[s], static_cast<std::uint32_t>(s));
        places.negatives.insert(places.negatives.end(), steps.negatives[s], static_cast<std::uint32_t>(s));
    }
    std::vector<double> areas(static_cast<std::size_t>(resamples));
    kernels::resampled_areas({&places, 1}, {seed, kBootstrapDraw}, 0, areas);
    return middle_95(areas);
}

Interval roc_auc_difference_interval(std::span<const int> labels, std::span<const double> a,
                                     std::span<const double> b, int resamples, std::uint64_t seed) {
    std::array<kernels::ClassPlaces, 2> places;
    for (std::size_t k = 0; k < places.size(); ++k) {
        const std::span<const double> scores = k == 0 ? a : b;
        const kernels::ScoreSteps steps = kernels::score_steps(labels, scores);
        if (!has_both(steps)) return {kNan, kNan};
        const std::vector<std::uint32_t> step = kernels::steps_of(steps, scores);
        for (std::size_t i = 0; i < labels.size(); ++i)
            (labels[i] == 1 ? places[k].positives : places[k].negatives).push_back(step[i]);
    }
    std::vector<double> areas(2 * static_cast<std::size_t>(resamples)), differences;
    kernels::resampled_areas(places, {seed, kPairedDraw}, 0, areas);
    for (std::size_t i = 0; i < areas.size(); i += 2) differences.push_back(areas[i] - areas[i + 1]);
    return middle_95(differences);
}

}  // namespace nightshift::jobs
