#pragma once

#include <string>
#include <vector>

#include "jobs/evaluate/compat_protocol.h"
#include "jobs/models/features_input.h"
#include "jobs/models/model_folder.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

/// Protocol compat as a job: scores every row with every model, and writes `report.json` and `scores.csv`,
/// for goal 1 also `analysis.json`. `columns` are scores that came with the table. Throws
/// JobError("unsupported_param") for goals that the reference does not have, and ("bad_param") for a plain
/// table.
void run_compat(JobContext& context, const std::string& goal, const FeaturesInput& input,
                const std::vector<Model>& models, const std::vector<std::string>& references,
                const std::vector<CompatModel>& columns);

}  // namespace nightshift::jobs
