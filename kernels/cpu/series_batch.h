#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <span>
#include <utility>
#include <vector>

#include "kernels/series_changes.h"

/// What the batch functions of series share, on either device.
namespace nightshift::kernels {

/// The reference's guard against division by zero, and its length below which windows are refused.
inline constexpr double kRatioFloor = 1e-6;
inline constexpr std::size_t kWindowSamplesMin = 20;

/// CusumOptions without optionals.
struct CusumPlan {
    bool has_target, has_sensitivity;
    bool wants_mean;  ///< for the target or the deviation
    double target, sensitivity, threshold;
    std::size_t min_size;
};
CusumPlan cusum_plan(const CusumOptions& options);

/// Throw std::invalid_argument, see series_changes.h.
void check_batch(const SeriesBatch& batch, std::span<const double> scores);
void check_options(const CusumOptions& options);
void check_options(const WindowOptions& options);

/// Change points of a stretch of series that are found in any order, put into the order of the series.
class FoundPoints {
  public:
    /// For series first ... end.
    void begin(std::size_t first, std::size_t end);
    /// Room for `count` more points.
    std::int32_t* room(std::size_t count);
    /// The first `count` of the room are those of the series.
    void take(std::size_t series, std::size_t count);
    /// Adds them to `out`, series after series.
    void finish(BatchChanges& out) const;

  private:
    struct Stretch {
        std::size_t at = 0, count = 0;
    };

    std::size_t first_ = 0, used_ = 0;
    std::vector<std::int32_t> points_;
    std::vector<Stretch> stretches_;
};

/// Calls group(indices) for up to `lanes` series of one length, and one(index) for those that have too few
/// beside them to pay, or more than samples_max samples; each series of first ... end once.
void in_groups(const SeriesBatch& batch, std::size_t first, std::size_t end, std::size_t lanes,
               std::size_t samples_max, const std::function<void(std::span<const std::size_t>)>& group,
               const std::function<void(std::size_t)>& one);

/// Series that are looked at before their points are put in order.
inline constexpr std::size_t kStretchSeries = 1024;

/// Parts that `threads` threads share `series` series in: below some thousands each costs more than it saves.
std::size_t parts_of(std::size_t series, int threads);

/// What parts of the series have found, one after the other.
BatchChanges joined(std::vector<BatchChanges> parts);

/// Calls run(first, end, out) of what make() gives for stretches of the series, on up to `threads` threads,
/// each with one of its own.
template <typename Make>
BatchChanges in_stretches(std::size_t series, int threads, const Make& make) {
    const std::size_t parts = parts_of(series, threads);
    const auto search = [&](std::size_t part) {
        BatchChanges out;
        auto own = make();
        const std::size_t last = series * (part + 1) / parts;
        for (std::size_t at = series * part / parts; at < last; at += kStretchSeries)
            own.run(at, std::min(at + kStretchSeries, last), out);
        return out;
    };
    std::vector<std::future<BatchChanges>> others;
    for (std::size_t part = 1; part < parts; ++part)
        others.push_back(std::async(std::launch::async, search, part));
    std::vector<BatchChanges> found{search(0)};
    for (auto& other : others) found.push_back(other.get());
    return joined(std::move(found));
}

}  // namespace nightshift::kernels
