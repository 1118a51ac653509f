#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "jobs/optimize/samplers.h"

namespace nightshift::jobs {

/// A line of trials.jsonl: {"trial": 1, "params": {...}, "value": 0.93}; where it could not be evaluated
/// the value is null and "error" says why.
struct TrialLine {
    Trial trial;
    std::string error;
};

/// Appends one line. What a power cut takes of it is in the checkpoint, or tried again.
void append_trial(const std::filesystem::path& file, const SearchSpace& space, std::size_t number,
                  const TrialLine& line);
/// Writes the whole file anew.
void write_trials(const std::filesystem::path& file, const SearchSpace& space,
                  const std::vector<TrialLine>& lines);
/// Throws JobError("bad_trials") where the file is not one of this space.
std::vector<TrialLine> read_trials(const std::filesystem::path& file, const SearchSpace& space);

}  // namespace nightshift::jobs
