#include "jobs/models/sequence_scores.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

#include "jobs/evaluate/metrics.h"
#include "jobs/models/percentile.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

constexpr double kNormalQuantile = 99.5;
constexpr double kTrainingQuantile = 95;
constexpr std::size_t kTop = 3;

double aggregated(std::vector<double> scores, Aggregate aggregate) {
    if (aggregate == Aggregate::kMean) {
        return std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
    }
    const std::size_t count = aggregate == Aggregate::kMax ? 1 : std::min(kTop, scores.size());
    std::partial_sort(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(count), scores.end(),
                      std::greater<>());
    return std::accumulate(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(count), 0.0) /
           static_cast<double>(count);
}

}  // namespace

SequenceScores group_by_sequence(const FeatureSet& set) {
    constexpr std::size_t kNotYet = std::numeric_limits<std::size_t>::max();
    SequenceScores out;
    std::vector<std::size_t> places(set.is_plain() ? 0 : set.sequence.distinct().size(), kNotYet);
    for (std::int64_t r = 0; r < set.rows; ++r) {
        const auto at = static_cast<std::size_t>(r);
        std::size_t own = kNotYet;
        std::size_t& place = set.is_plain() ? own : places[set.sequence.code(at)];
        if (place == kNotYet) {
            place = out.name.size();
            out.name.push_back(set.is_plain() ? std::to_string(r) : set.sequence[at]);
            out.label.push_back(set.is_plain() ? -1 : set.label[at]);
            out.split.push_back(set.is_plain() ? Split::kNone : set.split[at]);
            out.scenario.push_back(set.is_plain() ? "" : set.scenario[at]);
            out.goal.push_back(set.is_plain() ? "" : set.goal[at]);
            out.rows.emplace_back();
        }
        out.rows[place].push_back(r);
    }
    out.score.assign(out.name.size(), std::numeric_limits<double>::quiet_NaN());
    return out;
}

void aggregate_scores(SequenceScores& sequences, const std::vector<double>& row_scores, Aggregate aggregate) {
    for (std::size_t s = 0; s < sequences.size(); ++s) {
        std::vector<double> scores;
        for (const std::int64_t row : sequences.rows[s])
            scores.push_back(row_scores[static_cast<std::size_t>(row)]);
        sequences.score[s] = aggregated(std::move(scores), aggregate);
    }
}

Aggregate aggregate_of(std::string_view word) {
    if (word == "max") return Aggregate::kMax;
    if (word == "top3") return Aggregate::kTop3;
    if (word == "mean") return Aggregate::kMean;
    throw JobError("bad_param", "aggregate is '" + std::string(word) + "'; it can be max, top3 or mean");
}

Threshold choose_threshold(const SequenceScores& sequences, const std::vector<double>& training_scores) {
    std::vector<int> labels;
    std::vector<double> scores, normals;
    for (std::size_t s = 0; s < sequences.size(); ++s) {
        if (sequences.split[s] != Split::kVal || sequences.label[s] < 0) continue;
        labels.push_back(sequences.label[s]);
        scores.push_back(sequences.score[s]);
        if (sequences.label[s] == 0) normals.push_back(sequences.score[s]);
    }
    if (normals.empty()) {
        return {percentile(training_scores, kTrainingQuantile), "95 % quantile of the training scores"};
    }
    if (normals.size() == scores.size()) {
        return {percentile(normals, kNormalQuantile),
                "99.5 % quantile of the validation normals (no damaged sequence in the validation split)"};
    }
    return {best_f1(pr_curve(kernels::score_steps(labels, scores))).threshold,
            "largest F1 on the validation split"};
}

}  // namespace nightshift::jobs
