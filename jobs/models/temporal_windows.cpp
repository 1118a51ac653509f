#include "jobs/models/temporal_windows.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "jobs/models/sequence_scores.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

/// Scores of the windows that cover one frame, gathered.
struct Cover {
    double sum = 0, largest = -std::numeric_limits<double>::infinity();
    std::int64_t count = 0;

    void add(double score) {
        sum += score;
        largest = std::max(largest, score);
        ++count;
    }
    double score(bool is_mean) const { return is_mean ? sum / static_cast<double>(count) : largest; }
};

/// Rows of frames, by sequence, each in the order of its frames (rows without frame numbers as they come).
std::vector<std::vector<std::int64_t>> frames_of(const FeatureSet& set) {
    if (set.is_plain()) {
        std::vector<std::int64_t> all(static_cast<std::size_t>(set.rows));
        std::iota(all.begin(), all.end(), std::int64_t{0});
        return {all};
    }
    std::vector<std::vector<std::int64_t>> out = group_by_sequence(set).rows;
    for (std::vector<std::int64_t>& rows : out) {
        std::erase_if(rows, [&](std::int64_t r) { return set.frame[static_cast<std::size_t>(r)] < 0; });
        std::stable_sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
            return set.frame[static_cast<std::size_t>(a)] < set.frame[static_cast<std::size_t>(b)];
        });
    }
    return out;
}

}  // namespace

void Windows::add(std::span<const std::int64_t> frames, std::int64_t length, bool keeps_short) {
    const auto wanted = static_cast<std::size_t>(length);
    const bool is_short = frames.size() < wanted;
    if (is_short && (!keeps_short || frames.empty())) return;
    const std::size_t first = rows_.size(), steps = std::min(frames.size(), wanted);
    if (first + frames.size() > std::numeric_limits<std::uint32_t>::max()) {
        throw JobError("bad_table",
                       "more than 4,294,967,295 frames: windows over so many rows cannot be made; "
                       "split the table by sequences");
    }
    rows_.insert(rows_.end(), frames.begin(), frames.end());
    for (std::size_t begin = first; begin + steps <= rows_.size(); ++begin) {
        begins_.push_back(static_cast<std::uint32_t>(begin));
        lengths_.push_back(static_cast<std::uint16_t>(steps));
    }
}

Windows windows_of(const FeatureSet& set, std::int64_t length, bool keeps_short) {
    Windows out;
    for (const auto& frames : frames_of(set)) out.add(frames, length, keeps_short);
    return out;
}

FloatRows gathered(const RowStore<float>& values, const Windows& windows,
                   std::span<const std::int64_t> which) {
    const auto n = static_cast<Eigen::Index>(which.size());
    const auto steps = static_cast<Eigen::Index>(windows[static_cast<std::size_t>(which.front())].size());
    const auto columns = static_cast<Eigen::Index>(values.columns());
    FloatRows window(steps, columns), out(steps * n, columns);
    for (Eigen::Index i = 0; i < n; ++i) {
        values.gather(windows[static_cast<std::size_t>(which[static_cast<std::size_t>(i)])],
                      {window.data(), static_cast<std::size_t>(window.size())});
        for (Eigen::Index t = 0; t < steps; ++t) out.row(t * n + i) = window.row(t);
    }
    return out;
}

FloatRows gathered(std::span<const float> values, std::int64_t columns, const Windows& windows,
                   std::size_t first, std::size_t count) {
    const auto n = static_cast<Eigen::Index>(count);
    const auto steps = static_cast<Eigen::Index>(windows[first].size());
    FloatRows out(steps * n, columns);
    for (Eigen::Index i = 0; i < n; ++i) {
        const std::size_t place =
            windows.begin_of(first + static_cast<std::size_t>(i)) - windows.begin_of(first);
        for (Eigen::Index t = 0; t < steps; ++t) {
            const float* row = values.data() + (static_cast<Eigen::Index>(place) + t) * columns;
            std::copy(row, row + columns, out.data() + (t * n + i) * columns);
        }
    }
    return out;
}

std::vector<double> scores_of_rows(const FeatureSet& set, const Windows& windows,
                                   const std::vector<double>& window_scores, bool is_mean) {
    std::vector<double> out(static_cast<std::size_t>(set.rows),
                            is_mean ? 0 : -std::numeric_limits<double>::infinity());
    std::vector<std::uint32_t> covers(out.size());
    for (std::size_t w = 0; w < windows.size(); ++w) {
        for (const std::int64_t row : windows[w]) {
            double& score = out[static_cast<std::size_t>(row)];
            score = is_mean ? score + window_scores[w] : std::max(score, window_scores[w]);
            ++covers[static_cast<std::size_t>(row)];
        }
    }
    for (const auto& rows : group_by_sequence(set).rows) {
        double largest = 0;
        for (const std::int64_t row : rows) {
            const auto at = static_cast<std::size_t>(row);
            if (covers[at] == 0) continue;
            if (is_mean) out[at] /= covers[at];
            largest = std::max(largest, out[at]);
        }
        for (const std::int64_t row : rows) {
            if (covers[static_cast<std::size_t>(row)] == 0) out[static_cast<std::size_t>(row)] = largest;
        }
    }
    return out;
}

FrameScores reference_frame_scores(const FeatureSet& set, const Windows& windows,
                                   const std::vector<double>& window_scores, bool is_mean) {
    std::map<std::int64_t, std::string> first_with_frame;
    for (std::size_t r = 0; r < set.frame.size(); ++r)
        first_with_frame.emplace(set.frame[r], set.sequence[r]);
    std::map<std::pair<std::string, std::int64_t>, Cover> covers;
    for (std::size_t w = 0; w < windows.size(); ++w) {
        const std::int64_t first = set.frame[static_cast<std::size_t>(windows[w].front())];
        for (std::size_t t = 0; t < windows[w].size(); ++t) {
            covers[{first_with_frame.at(first), first + static_cast<std::int64_t>(t)}].add(window_scores[w]);
        }
    }
    FrameScores out;
    for (const auto& [place, cover] : covers) out[place] = cover.score(is_mean);
    return out;
}

std::vector<double> reference_scores_of_rows(const FeatureSet& set, const FrameScores& scores) {
    std::vector<double> out(static_cast<std::size_t>(set.rows));
    for (std::size_t r = 0; r < out.size(); ++r) {
        const auto place = scores.find({set.sequence[r], set.frame[r]});
        if (place != scores.end()) out[r] = place->second;
    }
    return out;
}

}  // namespace nightshift::jobs
