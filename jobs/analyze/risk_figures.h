#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "jobs/analyze/sequence_analysis.h"
#include "jobs/evaluate/metrics.h"

namespace nightshift::jobs {

inline constexpr std::size_t kRiskBins = 50;    ///< of a distribution over risks 0 to 1
inline constexpr std::size_t kRiskGroups = 24;  ///< the largest ones; all others are one group

/// Sequences of one scenario and label.
struct RiskGroup {
    std::string scenario;  ///< empty = not known
    int label = -1;        ///< 1 damaged, 0 not, -1 not known or mixed
    bool is_rest = false;  ///< of several scenarios
    std::size_t count = 0, without_metrics = 0;
    double least = 0, median = 0, largest = 0;
    double roc_auc = 0;  ///< of a damaged group against all normal sequences, else NaN
    std::array<std::size_t, kRiskBins> bins{};
};

/// What the largest risks of sequences say together. Indices are places in the `risks` given.
struct RiskFigures {
    std::size_t damaged = 0, normal = 0, without_metrics = 0;
    std::vector<int> labels;  ///< of the sequences with a known label, and their risks
    std::vector<double> scores;
    double roc_auc = 0;  ///< NaN where a class is missing
    Interval interval{};
    std::vector<RiskGroup> groups;  ///< damaged ones first, by name
    std::vector<std::size_t> riskiest;
    std::vector<std::size_t> overlooked;  ///< damaged ones with the lowest risks
    std::vector<std::size_t> suspected;   ///< normal ones with the highest risks
};

/// `named`: sequences in each of the three lists, at most. `interval` repeats for the same `seed`.
RiskFigures risk_figures(const Dataset& dataset, const std::vector<SequenceRisk>& risks, std::size_t named,
                         std::uint64_t seed);

}  // namespace nightshift::jobs
