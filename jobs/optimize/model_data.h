#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "jobs/models/feature_set.h"
#include "jobs/models/model_folder.h"
#include "jobs/models/model_rows.h"
#include "jobs/runtime/job_impl.h"
#include "kernels/backend.h"

namespace nightshift::jobs {

/// What every trial of a model learns from and is judged by: normal rows of the training split, all rows of
/// the validation split. The test split is not touched, so that the winner can still be tested on it.
class ModelData {
  public:
    /// Reads `features` and `dataset`. Throws JobError("bad_table") where the validation split lacks a class.
    ModelData(const nlohmann::json& params, JobContext& context);
    ModelData(const ModelData&) = delete;
    ModelData& operator=(const ModelData&) = delete;

    const FeatureSet& training() const { return training_; }
    /// Training rows as a model sees them: normalised where rows belong to sequences.
    const ModelRows& rows() const { return *rows_; }
    /// Where rows lie that do not fit into memory.
    const RowRoom& room() const { return room_; }
    /// A model without tensors: its features and normaliser.
    Model untrained(const std::string& kind) const;
    /// What the trials compute on.
    const std::shared_ptr<kernels::Backend>& backend() const { return backend_; }
    /// ROC AUC of the validation sequences, a sequence being as unusual as its most unusual row.
    double validation_auc(const Model& model, JobContext& context) const;

  private:
    FeatureSet training_, validation_;
    Model untrained_;
    RowRoom room_;
    std::shared_ptr<kernels::Backend> backend_;
    std::optional<ModelRows> rows_;  ///< of training_ and untrained_, which stay where they are
};

}  // namespace nightshift::jobs
