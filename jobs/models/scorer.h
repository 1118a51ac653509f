#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "jobs/models/feature_set.h"
#include "jobs/models/model_folder.h"
#include "jobs/runtime/job_impl.h"
#include "kernels/backend.h"

namespace nightshift::jobs {

struct ScoreOptions {
    int threads = 1;
    std::shared_ptr<kernels::Backend> backend;  ///< null: the CPU with `threads`
    std::string name;                        ///< the model's, for messages
    std::function<void(double share)> tick;  ///< between blocks; may throw to stop
    const Dataset* dataset = nullptr;        ///< tracks of the rows, for models that look at maps
};

/// As a job scores: with its threads and its GPU; between blocks it obeys a stop and tells how far `phase`
/// is. A job that has a backend already gives it: two would share one budget without knowing. `context` and
/// `dataset` (may be null) have to outlive the options.
ScoreOptions score_options(JobContext& context, std::string name, const Dataset* dataset,
                           std::string phase = "score", std::shared_ptr<kernels::Backend> backend = nullptr);

/// One score a row: higher = more unusual. Selects the model's columns by name, normalises with the
/// model's own numbers. Throws JobError: feature_mismatch, bad_model, missing_param (a model that looks at
/// maps, without a data set).
std::vector<double> score_rows(const Model& model, const FeatureSet& set, const ScoreOptions& options);

}  // namespace nightshift::jobs
