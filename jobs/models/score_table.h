#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "jobs/models/feature_set.h"

namespace nightshift::jobs {

/// Scores of every row of a set, and the column's name.
struct ScoreColumn {
    std::string name;
    const std::vector<double>& scores;
};

/// Writes a CSV, a part of its rows at a time: row of a plain table, else sequence and frame (empty where the
/// row stands for a whole sequence); the columns; of sequences also label and split where `with_truth`.
/// Throws what TableWriter throws.
void write_scores(const std::filesystem::path& file, const FeatureSet& set,
                  const std::vector<ScoreColumn>& columns, bool with_truth = false);

}  // namespace nightshift::jobs
