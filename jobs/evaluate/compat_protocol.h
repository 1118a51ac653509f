#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "jobs/models/feature_set.h"

/// The users' own evaluation (motionanalyzer 0.2.0), field by field, so that its numbers can be compared. It
/// judges rows, not sequences, calls every row of a damaged sequence damaged, and takes the threshold from
/// the rows that it is tested on: jobs/evaluate/README.md says what is wrong with that. Pure functions.
namespace nightshift::jobs {

/// A model's scores, one a row of the feature set.
struct CompatModel {
    std::string name;  ///< as the reference writes it: "DREAM", "PatchCore"
    std::vector<double> scores;
};

/// The reference's name of a model of this kind.
std::string compat_name(const std::string& model_kind);

/// `goal1_ml.json` or `goal2_ml.json`: rows of goal "normal" and of the goal asked for (1 or 2), numbers
/// rounded to four places. Throws JobError("no_labels") where the test split lacks a class.
nlohmann::ordered_json compat_report(int goal, const FeatureSet& rows,
                                     const std::vector<CompatModel>& models);

/// `analysis.json` of goal 1: thresholds from the validation rows (precision of at least .997, then the
/// largest recall), and, of DREAM with PatchCore, where both agree. Empty where the validation split lacks a
/// class.
nlohmann::ordered_json compat_analysis(const FeatureSet& rows, const std::vector<CompatModel>& models);

}  // namespace nightshift::jobs
