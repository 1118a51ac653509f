#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "jobs/models/feature_set.h"
#include "jobs/models/model_folder.h"

namespace nightshift::jobs {

/// The rows of a feature set as a model sees them: its columns by name, normalised with its numbers, or
/// refused where a value is not finite. Model and set have to outlive it. Any thread.
class ModelRows {
  public:
    /// `name` is the model's, for messages. Throws JobError("feature_mismatch").
    ModelRows(const Model& model, const FeatureSet& set, const std::string& name);

    std::int64_t count() const { return set_.rows; }
    std::int64_t columns() const { return static_cast<std::int64_t>(places_.size()); }

    /// [count, columns], [which, columns]. Throw JobError("bad_table") naming row and column.
    std::vector<double> block(std::int64_t first, std::int64_t count) const;
    std::vector<double> gathered(std::span<const std::int64_t> which) const;
    /// All of them, in the width that networks compute in.
    RowStore<float> narrow(const RowRoom& room) const;

  private:
    /// `row_of` tells which row of the set the r-th of `values` is.
    template <typename RowOf>
    std::vector<double> prepared(std::vector<double> values, RowOf row_of) const;

    const Model& model_;
    const FeatureSet& set_;
    std::vector<std::int64_t> places_;
    bool takes_all_ = false;  ///< the model's columns are the set's, in that order
};

/// z-scores of the set's columns over all its rows.
Normalizer fit_normalizer(const FeatureSet& set);

}  // namespace nightshift::jobs
