#pragma once

#include <functional>
#include <vector>

#include "jobs/models/feature_set.h"
#include "jobs/models/model_folder.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

struct ScoreOptions {
    int threads = 1;
    bool use_cuda = false;
    std::string name;                        ///< the model's, for messages
    std::function<void(double share)> tick;  ///< between blocks; may throw to stop
};

/// True where the job was given a GPU and this build has kernels for it; says in the log when it only has
/// the first.
bool can_use_cuda(JobContext& context);

/// As a job scores: with its threads and its GPU; between blocks it obeys a stop and tells how far `phase`
/// is. `context` has to outlive the options.
ScoreOptions score_options(JobContext& context, std::string name, std::string phase = "score");

/// One score a row: higher = more unusual. Selects the model's columns by name, normalises with the
/// model's own numbers. Throws JobError("feature_mismatch") or ("bad_model").
std::vector<double> score_rows(const Model& model, const FeatureSet& set, const ScoreOptions& options);

}  // namespace nightshift::jobs
