#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

/// Change points of one series of finite doubles; of many at once: series_changes.h. Any thread. Index k
/// means that something new begins with sample k.
/// `*_compat` repeat the public reference, quirks included: indices equal, scores 1e-9 relative (its sums
/// run in another order). The others are what we use. Source: own derivation from the reference's behaviour;
/// PELT after Killick, Fearnhead and Eckley 2012.
namespace nightshift::kernels {

struct CusumOptions {
    double threshold = 5;               ///< of the sum, in the signal's unit
    std::optional<double> sensitivity;  ///< slack taken off each step; none = half a standard deviation
    std::optional<double> target;       ///< none = the mean
    int min_size = 3;                   ///< samples between alarms, and before the first
};

struct WindowOptions {
    int window_size = 10;  ///< samples on each side
    int step_size = 1;
    double threshold_ratio = 2;
    int min_size = 3;
};

struct PeltOptions {
    int min_size = 3;  ///< samples of a segment, at least
    int jump = 5;      ///< compat: only every jump-th sample is tried
    double pen = 3;    ///< cost of a segment, in squares of the signal's unit
    /// Polled now and then; true ends the search, and the result is empty.
    std::function<bool()> is_stopped;
};

struct ScoredChanges {
    std::vector<std::int64_t> change_points;
    std::vector<double> scores;  ///< [samples], 0 where none was computed; empty for a series too short
};

/// Two one-sided sums that an alarm does not reset; so a lasting shift alarms every min_size samples. Throws
/// std::invalid_argument where min_size is below 0.
ScoredChanges cusum_compat(std::span<const double> series, const CusumOptions& options);

/// Largest ratio of means or standard deviations of two neighbouring windows. Series below 20 samples are
/// refused whatever window_size says, as the reference does. Throws std::invalid_argument where a size or
/// step is below 1.
ScoredChanges window_compat(std::span<const double> series, const WindowOptions& options);

struct Segmentation {
    std::vector<std::int64_t> change_points;  ///< without 0 and without the end
    double cost = 0;                          ///< squares about segment means + pen a segment
};

/// ruptures' PELT with cost l2: candidates floor((t - min_size) / jump) * jump, kept while their cost <=
/// best + pen, the first minimum wins. Not always optimal. Below 2 min_size samples: nothing, NaN cost.
Segmentation pelt_compat(std::span<const double> series, const PeltOptions& options);

/// The optimum over all segmentations with at least min_size samples a segment; `jump` is ignored.
/// Linear time where changes are many, quadratic (about 1 s for 60,000 samples) where there are none.
Segmentation pelt_exact(std::span<const double> series, const PeltOptions& options);

struct RunOptions {
    double threshold = 8;    ///< of the sum, in robust standard deviations
    double sensitivity = 1;  ///< slack taken off each step, in robust standard deviations
    int baseline = 0;        ///< samples that say what is usual; 0 = a quarter, at least 8
    int min_size = 3;        ///< samples of a run, at least
};

/// A run of unusual samples: from where its sum left 0 to where it passed the threshold.
struct Run {
    std::int64_t start = 0, alarm = 0;
    double score = 0;  ///< the sum at the alarm, standard deviations
};

struct Runs {
    std::vector<Run> runs;
    std::vector<double> scores;  ///< [samples] larger of both sums
};

/// CUSUM standardised by median and MAD of a baseline; an alarm resets it and a new baseline begins there.
/// A baseline without spread counts deviations as they are.
Runs cusum_runs(std::span<const double> series, const RunOptions& options);

struct ContrastOptions {
    int window_size = 10;
    double threshold = 6;  ///< standard errors of the difference
    int min_size = 3;      ///< samples between change points
};

/// Difference of the means of two neighbouring windows over its standard error, the noise taken from the
/// series' first differences; change points are its peaks.
ScoredChanges window_contrast(std::span<const double> series, const ContrastOptions& options);

/// Robust standard deviation of the noise from first differences: blind to shifts of the level.
double difference_noise(std::span<const double> series);

enum class Combine { kUnion, kIntersection, kMajority };

/// Frames that any, all, or more than half of the lists name. Sorted, each once.
std::vector<std::int64_t> combine_changes(std::span<const std::vector<std::int64_t>> lists, Combine rule);

}  // namespace nightshift::kernels
