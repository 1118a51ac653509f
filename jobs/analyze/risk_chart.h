#pragma once

#include <string>
#include <vector>

#include "jobs/analyze/risk_figures.h"

namespace nightshift::jobs {

/// Korean and English words for a label: "손상 damaged".
const char* label_words(int label);
/// The name under which a group is shown.
std::string group_name(const RiskGroup& group);

/// One row of bars for each group over risks 0 to 1, each row to its own height, as SVG.
std::string risk_distributions_svg(const std::vector<RiskGroup>& groups);

}  // namespace nightshift::jobs
