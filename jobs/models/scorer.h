#pragma once

#include <functional>
#include <vector>

#include "jobs/models/feature_set.h"
#include "jobs/models/model_folder.h"

namespace nightshift::jobs {

struct ScoreOptions {
    int threads = 1;
    bool use_cuda = false;
    std::string name;                        ///< the model's, for messages
    std::function<void(double share)> tick;  ///< between blocks; may throw to stop
};

/// One score a row: higher = more unusual. Selects the model's columns by name, normalises with the
/// model's own numbers. Throws JobError("feature_mismatch") or ("bad_model").
std::vector<double> score_rows(const Model& model, const FeatureSet& set, const ScoreOptions& options);

}  // namespace nightshift::jobs
