#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nightshift::jobs {

/// Logistic regression on z-scores: the baseline every other model has to beat.
struct LogisticModel {
    std::vector<double> mean, deviation;  ///< of the training rows; deviation 0 = column unused
    std::vector<double> weights;
    double intercept = 0;

    /// Log-odds of being damaged, one a row; values [rows, columns].
    std::vector<double> scores(std::span<const double> values) const;
};

/// Minimises the log-loss plus half the squared weights (scikit-learn's C = 1; the intercept is free) by
/// Newton's method. values [rows, columns], finite or NaN (= mean); labels 1 / 0.
LogisticModel fit_logistic(std::span<const double> values, std::int64_t columns, std::span<const int> labels);

/// Log-odds = weights * values + intercept.
struct LogisticWeights {
    std::vector<double> weights;
    double intercept = 0;
};

/// Minimises the same on the values as they are, for columns that share a scale already.
LogisticWeights fit_unscaled_logistic(std::span<const double> values, std::int64_t columns,
                                      std::span<const int> labels);

}  // namespace nightshift::jobs
