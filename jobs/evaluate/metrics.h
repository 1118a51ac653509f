#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/metrics.h"

/// Numbers that judge scores: higher = more likely damaged, labels 1 damaged / 0 not. Definitions are
/// scikit-learn's (equal to 1e-12). Pure functions. Where a class is missing, or a score is NaN, the result
/// is NaN. What is asked of the same scores several times takes their steps, which are sorted once.
namespace nightshift::jobs {

/// Decisions `score >= threshold` against the labels.
struct Confusion {
    std::int64_t true_negative = 0, false_positive = 0, false_negative = 0, true_positive = 0;

    double precision() const;  ///< 0 where nothing was called damaged
    double recall() const;     ///< 0 where nothing is damaged
    double f1() const;
    double false_positive_rate() const;
};

struct RocPoint {
    double threshold, false_positive_rate, true_positive_rate;
};

/// Precision and recall of `score >= threshold`, at every distinct score, rising; without the closing (1, 0).
struct PrPoint {
    double threshold, precision, recall;

    double f1() const;
};

/// Area under the ROC curve by mid-ranks: ties count half.
double roc_auc(std::span<const int> labels, std::span<const double> scores);

std::vector<RocPoint> roc_curve(const kernels::ScoreSteps& steps);
std::vector<PrPoint> pr_curve(const kernels::ScoreSteps& steps);
Confusion confusion_at(std::span<const int> labels, std::span<const double> scores, double threshold);

/// The threshold with the largest F1; of equal ones the lowest.
PrPoint best_f1(const std::vector<PrPoint>& curve);
/// The point of largest recall among those with at least these two; where there is none, the point of
/// largest precision among those with `recall_min`.
PrPoint precision_first(const std::vector<PrPoint>& curve, double precision_min, double recall_min);

struct Interval {
    double low, high;
};

/// 95 % bootstrap interval of the ROC AUC: classes are resampled apart, so every resample has both.
/// `seed` makes it repeat.
Interval roc_auc_interval(const kernels::ScoreSteps& steps, int resamples, std::uint64_t seed);

/// 95 % bootstrap interval of ROC AUC `a` - ROC AUC `b`, two scores of the same rows: every resample draws
/// the same rows for both, so what makes a row hard for both of them cancels out.
Interval roc_auc_difference_interval(std::span<const int> labels, std::span<const double> a,
                                     std::span<const double> b, int resamples, std::uint64_t seed);

}  // namespace nightshift::jobs
