#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/evaluate/evaluation.h"
#include "jobs/models/sequence_scores.h"

namespace nightshift::jobs {

/// One row of features a unit: as it is where a unit has one row, else each feature's mean and largest
/// value over its rows.
struct UnitFeatures {
    std::vector<std::string> names;
    std::vector<double> values;  ///< [units, names]

    LabelledRows rows_of(const Units& units, const std::vector<std::size_t>& which) const;
};

UnitFeatures unit_features(const FeatureSet& set, const SequenceScores& sequences);

/// Units to learn from: the training split, with labels, of the question.
std::vector<std::size_t> learning_units(const Units& units);

/// The name of that baseline.
inline constexpr std::string_view kLogisticRegression = "logistic regression";

/// What any model has to beat, trained on the training split: the best single feature (named), logistic
/// regression, and the untrained composite where the features have one. Empty without a training split
/// that has both classes.
std::vector<Candidate> baselines(const Units& units, const UnitFeatures& features);

}  // namespace nightshift::jobs
