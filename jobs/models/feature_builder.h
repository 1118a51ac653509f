#pragma once

#include <optional>
#include <string>
#include <vector>

#include "jobs/models/feature_set.h"
#include "jobs/table/table.h"

namespace nightshift::jobs {

/// Which columns a kind wants from its table.
struct ColumnChoice {
    std::vector<std::string> only;  ///< features; empty = all that can be
    std::vector<std::string> without;
    std::vector<std::string> also;  ///< have to be there; kept as columns, be they features or not
};

/// Makes a feature set of a table that comes in pieces. Features are `only`, else every numeric column that
/// is neither descriptive nor in `without`. In a plain table (no `sequence` column) only `without` counts:
/// every other numeric column is a feature. One thread.
class FeatureBuilder {
  public:
    FeatureBuilder(std::string origin, ColumnChoice choice, RowRoom room = {});

    /// Pieces with the same columns, in order. Throws JobError("no_such_column") naming the nearest.
    void add(const Table& piece);

    /// Throws JobError("bad_table") where there were no rows, or no columns of numbers.
    FeatureSet features();
    /// What is neither a feature nor named sequence or frame, and `also`; to be taken after the last piece.
    Table columns();

  private:
    void start(const Table& piece);
    /// What of a piece columns() is made of.
    Table kept_of(const Table& piece) const;

    std::string origin_;
    ColumnChoice choice_;
    RowRoom room_;
    FeatureSet set_;
    std::optional<RowStore<double>> values_;  ///< from the first piece on
    Table kept_;
};

/// Sets what is known of each row from the columns sequence, frame, label, split, scenario, goal and
/// event_frame of `table`, behind the rows that are there.
void describe_rows(FeatureSet& set, const Table& table);

}  // namespace nightshift::jobs
