#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jobs/models/feature_set.h"

namespace nightshift::jobs {

/// How the frames of a sequence become one score.
enum class Aggregate { kMax, kTop3, kMean };

/// One entry a sequence, in order of first appearance. Of a plain table each row is its own sequence.
struct SequenceScores {
    std::vector<std::string> name;
    std::vector<double> score;
    std::vector<int> label;
    std::vector<Split> split;
    std::vector<std::string> scenario;
    std::vector<std::string> goal;
    std::vector<std::vector<std::int64_t>> rows;  ///< of the feature set

    std::size_t size() const { return name.size(); }
};

/// Groups rows by sequence, without scores.
SequenceScores group_by_sequence(const FeatureSet& set);
/// Fills `score` from row scores.
void aggregate_scores(SequenceScores& sequences, const std::vector<double>& row_scores, Aggregate aggregate);
/// "max", "top3", "mean"; throws JobError("bad_param").
Aggregate aggregate_of(std::string_view word);

/// A threshold and how it was found, in words.
struct Threshold {
    double value = 0;
    std::string rule;
};

/// From validation sequences alone: the largest F1 where both classes are there, else the normals' 99.5 %
/// quantile. Without a validation split: the 95 % quantile of `training_scores`, as in the reference.
Threshold choose_threshold(const SequenceScores& sequences, const std::vector<double>& training_scores);

}  // namespace nightshift::jobs
