#pragma once

#include <vector>

#include "jobs/models/feature_set.h"
#include "jobs/table/table.h"

namespace nightshift::jobs {

/// Columns row,score for a plain table; sequence,frame,score else, with an empty frame where the row stands
/// for a whole sequence.
Table score_table(const FeatureSet& set, const std::vector<double>& scores);

}  // namespace nightshift::jobs
