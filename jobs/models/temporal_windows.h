#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "jobs/models/feature_set.h"
#include "jobs/models/recurrent.h"

namespace nightshift::jobs {

/// Consecutive frames of one sequence: rows of a feature set in the order of their frames.
using Window = std::vector<std::int64_t>;

/// Every window of `length` frames, stride 1, sequence by sequence in order of first appearance; none
/// crosses a sequence. A plain table is one sequence in the order of its rows. Rows that stand for a whole
/// sequence (frame -1) are in no window. A shorter sequence is one window of its own length where
/// `keeps_short`, else in none.
std::vector<Window> windows_of(const FeatureSet& set, std::int64_t length, bool keeps_short);

/// The windows' values, time-major: row t * n + i is step t of window i. All of one length.
/// `values` [rows of the set, columns].
FloatRows gathered(const std::vector<float>& values, std::int64_t columns, const std::vector<Window>& windows,
                   const std::vector<std::int64_t>& which);

/// Score of each row: the largest, or the mean, over the windows that cover it. A row in none, one that
/// stands for a whole sequence, gets the largest of its sequence's rows (0 where that has no frames).
std::vector<double> scores_of_rows(const FeatureSet& set, const std::vector<Window>& windows,
                                   const std::vector<double>& window_scores, bool is_mean);

/// What the reference answers instead: it takes a window for one of the first sequence in the table that
/// has its first frame number, and counts on from there. Frames without a window are not listed.
using FrameScores = std::map<std::pair<std::string, std::int64_t>, double>;
FrameScores reference_frame_scores(const FeatureSet& set, const std::vector<Window>& windows,
                                   const std::vector<double>& window_scores, bool is_mean);
/// That, one a row; 0 where the reference has nothing.
std::vector<double> reference_scores_of_rows(const FeatureSet& set, const FrameScores& scores);

}  // namespace nightshift::jobs
