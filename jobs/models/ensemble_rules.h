#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace nightshift::jobs {

/// Scores of several models for the same rows: one column a model, all of one length.
using ScoreColumns = std::vector<std::vector<double>>;

/// Smallest and largest score of some rows.
struct ScoreRange {
    double low = 0, high = 0;
};
ScoreRange range_of(std::span<const double> scores);
/// (score - low) / (high - low), beyond 0 and 1 where a score is; 0 everywhere where the range is empty.
std::vector<double> scaled(std::span<const double> scores, const ScoreRange& range);

/// Weighted mean a row. Weights count by their share; all 0 = equal ones.
std::vector<double> weighted(const ScoreColumns& columns, std::span<const double> weights);
std::vector<double> largest(const ScoreColumns& columns);
/// Log-odds a row: weights times scores plus intercept.
std::vector<double> stacked(const ScoreColumns& columns, std::span<const double> weights, double intercept);
/// Probability of log-odds.
std::vector<double> probabilities(std::span<const double> log_odds);

/// Every way to share 1 among `count` models in tenths (fifths from four models on), most even first.
std::vector<std::vector<double>> weight_grid(std::size_t count);

/// What the reference's searches maximise: F1, precision, recall, or F1 that counts only from a recall of
/// .7 on ("balanced").
enum class SearchTarget { kF1, kPrecision, kRecall, kBalanced };
/// "f1", "precision", "recall", "balanced"; throws JobError("bad_param").
SearchTarget target_of(std::string_view word);

/// The reference's measure of `score > threshold`.
double measure(std::span<const double> normals, std::span<const double> damaged, double threshold,
               SearchTarget target);
/// The reference's threshold: of 100 normal percentiles from 50 to 99.9 the first with the largest measure.
double reference_threshold(std::span<const double> normals, std::span<const double> damaged,
                           SearchTarget target);
/// The reference's weights of two models: of 0, .1 ... 1 for the first the first one with the largest
/// measure above 0 at the normals' 95 % percentile, else equal ones. Normals and damaged rows are scaled
/// apart, as the reference does.
std::vector<double> reference_weights(const ScoreColumns& normals, const ScoreColumns& damaged,
                                      SearchTarget target);

}  // namespace nightshift::jobs
