#pragma once

#include <string>

#include "jobs/models/ensemble.h"
#include "jobs/models/sequence_scores.h"

namespace nightshift::jobs {

/// What fit_ensemble chose besides the weights, and how, in words.
struct EnsembleFit {
    Threshold threshold;
    std::string weights_rule;
};

/// Chooses weights (and stacking's intercept) on the labelled validation rows alone, then the threshold.
/// `on_training`, `on_validation`: raw member scores of the normal training and of the validation rows;
/// the members' ranges are set already. Without both classes in the validation split weights are equal,
/// and stacking throws JobError("no_labels"). `target` is compat's.
EnsembleFit fit_ensemble(Ensemble& ensemble, const FeatureSet& validation, const ScoreColumns& on_training,
                         const ScoreColumns& on_validation, SearchTarget target);

}  // namespace nightshift::jobs
