#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/fpcb/dataset.h"
#include "jobs/table/table.h"

namespace nightshift::jobs {

/// Numbers a model learns from or scores, and what is known of each row. Two forms: a plain table (rows
/// are just rows) and rows of sequences (one a frame, or one a sequence).
struct FeatureSet {
    std::vector<std::string> names;  ///< [d] features, in the table's order
    std::vector<double> values;      ///< [n, d] row-major; NaN = missing
    std::int64_t rows = 0;
    std::string origin;  ///< file or data set it came from, for messages
    std::string set;     ///< name of the feature set ("native", "compat81"); may be empty

    // Of a plain table all of these are empty; else one entry a row.
    std::vector<std::string> sequence;
    std::vector<std::int64_t> frame;  ///< -1 = the row stands for the whole sequence
    std::vector<int> label;           ///< 1 damaged, 0 not, -1 not known
    std::vector<Split> split;
    std::vector<std::string> scenario;
    std::vector<std::string> goal;
    std::vector<int> event_frame;  ///< -1 = none or not known

    bool is_plain() const { return sequence.empty(); }
    std::int64_t columns() const { return static_cast<std::int64_t>(names.size()); }
    const double* row(std::int64_t index) const { return values.data() + index * columns(); }
};

/// True for columns that describe a row and are never features: sequence, frame, label, split, scenario,
/// goal, event_frame, fold, id, row.
bool is_descriptive_column(std::string_view name);

/// Makes a feature set of a table. `columns` names the features; empty = every numeric column that is
/// neither descriptive nor in `without`. In a plain table (no `sequence` column) only `without` counts:
/// every other numeric column is a feature.
/// Throws JobError: no_such_column (names the nearest), bad_table (no numeric column, no rows).
FeatureSet features_of_table(const Table& table, const std::string& origin,
                             const std::vector<std::string>& columns = {},
                             const std::vector<std::string>& without = {});

/// Fills labels, splits, scenarios, goals and events from the data set, by sequence name. Throws
/// JobError("dataset_mismatch") naming a sequence that the data set does not have.
void describe_from_dataset(FeatureSet& set, const Dataset& dataset);

/// The same from a table with a row a sequence (the `sequences.csv` beside extracted features).
void describe_from_table(FeatureSet& set, const Table& sequences);

/// The rows listed, in that order.
FeatureSet rows_of(const FeatureSet& set, const std::vector<std::int64_t>& rows);

/// Rows to learn from: of sequences the training split's (all rows where no split is known) without the
/// damaged ones; of a plain table all of them. Throws JobError("no_training_rows").
std::vector<std::int64_t> normal_training_rows(const FeatureSet& set);

/// The values of the named columns as a matrix [rows, names]. Throws JobError("feature_mismatch") that
/// names the model, the columns it misses (with the nearest one there) and both counts.
std::vector<double> select_features(const FeatureSet& set, const std::vector<std::string>& names,
                                    const std::string& model);

/// Throws JobError("bad_table") naming row and column of the first NaN or infinity.
void require_finite(const std::vector<double>& values, const std::vector<std::string>& names,
                    const std::string& origin);

}  // namespace nightshift::jobs
