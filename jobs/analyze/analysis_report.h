#pragma once

#include <string>

#include "jobs/analyze/analysis_state.h"
#include "jobs/analyze/risk_figures.h"
#include "jobs/fpcb/dataset.h"

namespace nightshift::jobs {

/// What the page says of an analysis.
struct AnalysisFacts {
    std::string source;
    AnalysisOptions options;
};

/// One page that needs nothing from outside, Korean and English: distributions of the largest risk, a table
/// of scenarios, the sequences to look at with their vector maps (read again from `dataset`), and what a risk
/// that was not trained cannot say.
std::string analysis_report_html(const Dataset& dataset, const AnalysisState& state,
                                 const RiskFigures& figures, const AnalysisFacts& facts);

/// README.txt of the artifacts: every file and column with its unit, Korean and English.
std::string analysis_readme();

}  // namespace nightshift::jobs
