#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jobs/models/ensemble_rules.h"
#include "jobs/models/model_folder.h"
#include "jobs/models/scorer.h"

namespace nightshift::jobs {

enum class EnsembleMethod { kWeighted, kMax, kStacking };

/// "weighted", "max", "stacking"; throws JobError("bad_param").
EnsembleMethod method_of(std::string_view word);
std::string_view name_of(EnsembleMethod method);

struct EnsembleMember {
    std::string name;  ///< "dream", "temporal-2"
    Model model;
    ScoreRange range;  ///< of its scores on the normal training rows, frozen
};

/// Several models with one score. As a Model it holds its members whole, so it needs no other folder.
struct Ensemble {
    EnsembleMethod method = EnsembleMethod::kWeighted;
    /// The reference's way: each score is scaled by the rows being scored, and stacking gives a probability.
    bool is_compat = false;
    std::vector<EnsembleMember> members;
    std::vector<double> weights;  ///< weighted: shares; stacking: coefficients of the scaled scores
    double intercept = 0;
};

/// Raw scores of every member, one column each.
ScoreColumns member_scores(const Ensemble& ensemble, const FeatureSet& set, const ScoreOptions& options);
/// The members' scores on one scale: by the frozen ranges, or by themselves where compat.
ScoreColumns scaled_scores(const Ensemble& ensemble, const ScoreColumns& raw);
/// One score a row from scaled ones.
std::vector<double> mixed_scores(const Ensemble& ensemble, const ScoreColumns& scaled);
/// All of that.
std::vector<double> ensemble_scores(const Ensemble& ensemble, const ScoreColumns& raw);

/// The feature set that has every member's columns: of compat21, compat75 and compat81 the largest. Throws
/// JobError("bad_param") where others meet.
std::string feature_set_of(const Ensemble& ensemble);

/// Kind, features (those of any member), settings and tensors of the model; the caller adds threshold and
/// what the training saw. Throws as feature_set_of.
Model model_of_ensemble(const Ensemble& ensemble);
/// Throws JobError("bad_model").
Ensemble ensemble_of_model(const Model& model);

}  // namespace nightshift::jobs
