#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "jobs/models/feature_set.h"
#include "jobs/models/recurrent.h"

namespace nightshift::jobs {

/// Consecutive frames of one sequence, many times: rows of a feature set in the order of their frames.
/// Neighbouring windows share their rows, so that a window takes six bytes whatever its length.
class Windows {
  public:
    /// Every window of `length` rows (at most 65,535) of one sequence, stride 1; a shorter sequence is one
    /// window where `keeps_short`. Throws JobError("bad_table") beyond 4,294,967,295 rows.
    void add(std::span<const std::int64_t> frames, std::int64_t length, bool keeps_short);

    std::size_t size() const { return begins_.size(); }
    bool empty() const { return begins_.empty(); }
    std::span<const std::int64_t> operator[](std::size_t window) const {
        return std::span(rows_).subspan(begins_[window], lengths_[window]);
    }
    /// Place of a window's first row in rows().
    std::size_t begin_of(std::size_t window) const { return begins_[window]; }
    /// The rows of all windows, each once.
    std::span<const std::int64_t> rows() const { return rows_; }

  private:
    std::vector<std::int64_t> rows_;
    std::vector<std::uint32_t> begins_;
    std::vector<std::uint16_t> lengths_;
};

/// Every window of `length` frames, stride 1, sequence by sequence in order of first appearance; none
/// crosses a sequence. A plain table is one sequence in the order of its rows. Rows that stand for a whole
/// sequence (frame -1) are in no window. A shorter sequence is one window of its own length where
/// `keeps_short`, else in none.
Windows windows_of(const FeatureSet& set, std::int64_t length, bool keeps_short);

/// The windows' values, time-major: row t * n + i is step t of window i. All of one length.
/// `values` [rows of the set, columns].
FloatRows gathered(const RowStore<float>& values, const Windows& windows,
                   std::span<const std::int64_t> which);
/// The same of `count` windows from `first` on, from `values` [those of their rows, columns] alone: the rows
/// from begin_of(first) to the last window's end.
FloatRows gathered(std::span<const float> values, std::int64_t columns, const Windows& windows,
                   std::size_t first, std::size_t count);

/// Score of each row: the largest, or the mean, over the windows that cover it. A row in none, one that
/// stands for a whole sequence, gets the largest of its sequence's rows (0 where that has no frames).
std::vector<double> scores_of_rows(const FeatureSet& set, const Windows& windows,
                                   const std::vector<double>& window_scores, bool is_mean);

/// What the reference answers instead: it takes a window for one of the first sequence in the table that
/// has its first frame number, and counts on from there. Frames without a window are not listed.
using FrameScores = std::map<std::pair<std::string, std::int64_t>, double>;
FrameScores reference_frame_scores(const FeatureSet& set, const Windows& windows,
                                   const std::vector<double>& window_scores, bool is_mean);
/// That, one a row; 0 where the reference has nothing.
std::vector<double> reference_scores_of_rows(const FeatureSet& set, const FrameScores& scores);

}  // namespace nightshift::jobs
