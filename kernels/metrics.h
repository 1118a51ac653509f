#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// How well scores tell positives from negatives. What is counted is counted in integers, so every device and
/// CPU variant gives equal bits. `*_cuda` need a backend of CUDA: OverBudget where its budget is too small,
/// DeviceError where the device fails. Source: own derivation; definitions are scikit-learn's.
namespace nightshift::kernels {

class Backend;

/// Pairs of a positive and a negative row are counted exactly up to here.
inline constexpr std::size_t kRankedRowsMax = std::size_t{1} << 26;

/// The distinct values of a score, falling, and how many rows of either class have each.
struct ScoreSteps {
    std::vector<double> score;
    std::vector<std::uint32_t> positives, negatives;
    std::int64_t positive_rows = 0, negative_rows = 0;

    std::size_t size() const { return score.size(); }
};

/// labels: 1 is positive, all else negative; one a score, at most kRankedRowsMax, or std::invalid_argument.
/// Infinite scores rank at the ends, -0 equals 0. A score that is NaN has no rank: then there are no steps,
/// and everything below is NaN. Sorted in linear time. Pure; any thread.
ScoreSteps score_steps(std::span<const int> labels, std::span<const double> scores);
/// Needs up to 38 bytes a score; the sums over the steps below are the host's.
ScoreSteps score_steps_cuda(Backend& backend, std::span<const int> labels, std::span<const double> scores);
ScoreSteps score_steps(Backend& backend, std::span<const int> labels, std::span<const double> scores);

/// Pairs won by the positives, ties half, over all pairs; exact but for the last division. NaN without both.
double roc_auc(const ScoreSteps& steps);
/// Sum of (recall step) * precision, scikit-learn's definition. NaN without positives.
double average_precision(const ScoreSteps& steps);
/// Trapezoids under precision over recall, from (0, 1) on. NaN without positives.
double pr_auc_trapezoid(const ScoreSteps& steps);

/// The step that each score lies in; all of them have to be among the steps.
std::vector<std::uint32_t> steps_of(const ScoreSteps& steps, std::span<const double> scores);

/// A score as resamples need it: the step of every row of a class. Classes of scores that are resampled
/// together hold the same rows in the same order.
struct ClassPlaces {
    std::vector<std::uint32_t> positives, negatives;
};

/// Member i of a resample of class `side` (1 positive) is member w0 * count >> 32 of the class, w0 the first
/// word of Philox {i, side, kind, resample} under `key`: any resample can be had alone, on any machine.
struct ResampleStream {
    std::uint64_t key = 0;
    std::uint32_t kind = 0;
};

/// ROC AUC of resamples first, first + 1, ...: areas [resamples, scores]. Classes are resampled apart and
/// may not be empty, or std::invalid_argument. Nothing is sorted; time and memory follow the largest step.
void resampled_areas(std::span<const ClassPlaces> scores, const ResampleStream& stream, std::uint32_t first,
                     std::span<double> areas);
/// Needs 4 bytes a row and score, and up to 64 MiB for the resamples at hand, or 8 bytes a step if more.
void resampled_areas_cuda(Backend& backend, std::span<const ClassPlaces> scores, const ResampleStream& stream,
                          std::uint32_t first, std::span<double> areas);
void resampled_areas(Backend& backend, std::span<const ClassPlaces> scores, const ResampleStream& stream,
                     std::uint32_t first, std::span<double> areas);

}  // namespace nightshift::kernels
