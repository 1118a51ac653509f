#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nightshift::jobs {

/// A single feature that separates better than this, or shuffled labels that can be predicted better than
/// that, mean that the data give the answer away.
inline constexpr double kSingleFeatureAucMax = 0.98;
inline constexpr double kShuffledAucMax = 0.55;

struct FeatureAuc {
    std::string feature;
    double roc_auc = 0;     ///< 0.5..1: the better direction
    bool is_rising = true;  ///< larger values mean damaged
};

struct LeakReport {
    std::vector<FeatureAuc> features;  ///< on the rows to learn from, best first
    double shuffled_roc_auc = 0;       ///< mean over shuffles; NaN where there are no two parts
    double shuffled_standard_error = 0;
    int shuffles = 0;
    std::int64_t repeated_rows = 0;  ///< judged rows that are, value for value, among those to learn from
    bool is_feature_leak = false, is_shuffle_leak = false;

    bool is_clean() const { return !is_feature_leak && !is_shuffle_leak && repeated_rows == 0; }
};

/// Rows of two parts with labels 1 / 0; values [rows, columns].
struct LabelledRows {
    std::vector<double> values;
    std::vector<int> labels;
};

/// The area under the ROC curve of every single feature, best first; missing values count as the mean.
std::vector<FeatureAuc> single_feature_aucs(const LabelledRows& rows, const std::vector<std::string>& names);

/// Looks for what a model should not be able to see: single features that decide alone, labels that can be
/// predicted after shuffling them (rows of one sequence on both sides), rows that come twice.
LeakReport guard_against_leaks(const LabelledRows& learn, const LabelledRows& judged,
                               const std::vector<std::string>& names, std::uint64_t seed);

}  // namespace nightshift::jobs
