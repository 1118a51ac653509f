#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "jobs/analyze/sequence_analysis.h"

namespace nightshift::jobs {

/// How far an analysis has come.
struct AnalysisState {
    std::size_t next = 0;  ///< sequences of the data set that are done
    std::vector<SequenceRisk> risks;
    std::vector<std::size_t> skipped;  ///< places of sequences that could not be analysed
};

/// Writes state.json into `folder`. `params` and `content_hash` say whose analysis it is.
void save_analysis(const std::filesystem::path& folder, const AnalysisState& state,
                   const nlohmann::json& params, const std::string& content_hash);
/// False, with `state` untouched, where the folder is of other parameters or of another data set. Throws
/// JobError("bad_checkpoint") where it cannot be read.
bool load_analysis(const std::filesystem::path& folder, AnalysisState& state, const nlohmann::json& params,
                   const std::string& content_hash);

}  // namespace nightshift::jobs
