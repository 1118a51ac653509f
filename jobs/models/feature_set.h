#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/fpcb/dataset.h"
#include "jobs/models/row_store.h"
#include "jobs/table/table.h"
#include "jobs/table/words.h"

namespace nightshift::jobs {

/// Numbers a model learns from or scores, and what is known of each row. Two forms: a plain table (rows
/// are just rows) and rows of sequences (one a frame, or one a sequence). What is known of a row lies in
/// memory (some 30 bytes), its numbers where the store keeps them; copies share them.
struct FeatureSet {
    std::vector<std::string> names;  ///< [d] features, in the table's order
    std::int64_t rows = 0;
    std::string origin;  ///< file or data set it came from, for messages
    std::string set;     ///< name of the feature set ("native", "compat81"); may be empty

    // Of a plain table all of these are empty; else one entry a row.
    Words sequence;
    std::vector<std::int64_t> frame;  ///< -1 = the row stands for the whole sequence
    std::vector<int> label;           ///< 1 damaged, 0 not, -1 not known
    std::vector<Split> split;
    Words scenario;
    Words goal;
    std::vector<int> event_frame;  ///< -1 = none or not known

    bool is_plain() const { return sequence.empty(); }
    std::int64_t columns() const { return static_cast<std::int64_t>(names.size()); }

    /// The numbers, NaN = missing: `count` rows from `first` on, or those listed. [rows, d]
    std::vector<double> values(std::int64_t first, std::int64_t count) const;
    std::vector<double> values(std::span<const std::int64_t> which) const;
    /// The row's place in the table, as messages count it.
    std::int64_t table_row(std::int64_t row) const;
    /// values [rows, d] become the numbers of the set, and `rows` their count.
    void put_values(RowStore<double> values);

  private:
    friend FeatureSet rows_of(const FeatureSet& set, const std::vector<std::int64_t>& rows);
    std::vector<double> stored(std::span<const std::int64_t> places) const;

    std::shared_ptr<const RowStore<double>> store_;
    std::vector<std::int64_t> places_;  ///< of each row in the store; empty = the same
};

/// Rows read at a time where a set is walked through: some 10 MB.
inline constexpr std::int64_t kRowsAtATime = 16'384;

/// Calls work(first, values [count, d]) for blocks of rows, in order.
template <typename Work>
void for_blocks(const FeatureSet& set, Work work) {
    for (std::int64_t first = 0; first < set.rows; first += kRowsAtATime)
        work(first, set.values(first, std::min(kRowsAtATime, set.rows - first)));
}

/// True for columns that describe a row and are never features: sequence, frame, label, split, scenario,
/// goal, event_frame, fold, id, row.
bool is_descriptive_column(std::string_view name);

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

/// Places of the named columns in the set. Throws JobError("feature_mismatch") that names the model, the
/// columns it misses (with the nearest one there) and both counts.
std::vector<std::int64_t> feature_places(const FeatureSet& set, const std::vector<std::string>& names,
                                         const std::string& model);

/// values [any, names]: throws JobError("bad_table") naming row and column of the first NaN or infinity;
/// `first_row` is the number of the first of them.
void require_finite(std::span<const double> values, const std::vector<std::string>& names,
                    const std::string& origin, std::int64_t first_row = 0);

/// The same of every row of a set.
void require_finite(const FeatureSet& set);

}  // namespace nightshift::jobs
