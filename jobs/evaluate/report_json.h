#pragma once

#include <nlohmann/json_fwd.hpp>

#include "jobs/evaluate/evaluation.h"
#include "jobs/evaluate/findings.h"

namespace nightshift::jobs {

/// report.json: {goal, protocol, source, n_test, models: {name: {roc_auc, roc_auc_interval,
/// average_precision, pr_auc, threshold, threshold_rule, confusion_matrix [[tn, fp], [fn, tp]], precision,
/// recall, f1, false_positive_rate, groups: {...}}}, baselines: {...}, leak_guard, findings}. Numbers that
/// do not exist are null.
nlohmann::ordered_json report_json(const Evaluation& evaluation, const std::vector<Finding>& findings);

}  // namespace nightshift::jobs
