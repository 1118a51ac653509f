#pragma once

#include <cstdint>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "jobs/models/features_input.h"

/// What a one-class model learns from: parameters `features`, `dataset`, `columns`, `normalize`,
/// `label`, `group` and `rows`.
namespace nightshift::jobs {

/// `columns`, and never those that `label` and `group` name, which have to be there.
ColumnChoice training_columns(const nlohmann::json& params);

/// The rows, in the order that the model sees them. Where `label` names a column, its rows with 1 are left
/// out, else those that the data set calls damaged. Of the rest `rows` chooses:
///   normal    the training split
///   goal      of it, the sequences of goal normal alone: the reference's scripts of goals 1 and 2
///   analysis  light distortion first, then thick panels, then the others: the reference's later analysis.
///             The order decides which rows a random bank gets.
/// Without it `goal` for the reference's feature sets (compat21, compat75, compat81), else `normal`.
/// Throws JobError: no_training_rows; no_such_column; bad_table where a label is neither 0 nor 1 nor empty;
/// bad_param where `rows` needs goals and the table says nothing of them.
std::vector<std::int64_t> training_rows(const FeaturesInput& input, const nlohmann::json& params);

/// The schema of `rows`.
nlohmann::ordered_json rows_schema();

/// The schema of a kind that trains a one-class model: what it learns from, and the kind's `own` properties
/// between. `knows_table_roles` adds `label` and `group`: not for models of time, which would run over the
/// rows left out.
nlohmann::ordered_json one_class_schema(const nlohmann::ordered_json& own, bool knows_table_roles);

}  // namespace nightshift::jobs
