#pragma once

#include <cstdint>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "jobs/models/feature_set.h"

namespace nightshift::jobs {

/// Rows that a one-class model learns from, in the order that it sees them. Parameter `rows` of a kind:
///   normal    the undamaged rows of the training split (`normal_training_rows`)
///   goal      of these, the sequences of goal normal alone: the reference's scripts of goals 1 and 2
///   analysis  light distortion first, then thick panels, then the others: the reference's later analysis.
///             The order decides which rows a random bank gets.
/// Without it `goal` for the reference's feature sets (compat21, compat75, compat81), else `normal`.
/// Throws JobError: no_training_rows; bad_param where the table says nothing of goals.
std::vector<std::int64_t> training_rows(const FeatureSet& set, const nlohmann::json& params);

/// The parameter's schema.
nlohmann::ordered_json training_rows_schema();

}  // namespace nightshift::jobs
