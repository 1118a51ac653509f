#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

/// Kind `evaluate` with goal cpd: says when, and whether, something happened to each sequence of `dataset`,
/// and how that compares with the true event frames and with detectors that know nothing. Writes
/// report.json, report.html and scores.csv. protocol compat writes the reference's report instead.
/// Throws JobError: missing_param, unsupported_param, no_labels, and what reading a data set throws.
void evaluate_cpd(JobContext& context, const nlohmann::json& params);

}  // namespace nightshift::jobs
