#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "jobs/cpd/cpd_settings.h"

namespace nightshift::jobs {

/// A series of which it is known what a detector should say.
struct JudgedSeries {
    std::vector<double> values;
    std::vector<long long> frames;  ///< of each value, as change points are named
    bool is_damaged = false;
    long long event = 0;                   ///< frame of the true event of a damaged one
    std::optional<long long> first, last;  ///< compat: frames of a hit; none = any
    double deviation = 0;                  ///< population standard deviation, 1 if 0
};

/// Population standard deviation as the reference's slack counts it; 1 where there is none.
double series_deviation(const std::vector<double>& values);

/// What a detector says of damaged and normal series.
struct EventShare {
    std::int64_t damaged = 0, within = 0;  ///< within: the surest change point at most kEventReach frames off
    std::int64_t normal = 0, alarmed = 0;  ///< alarmed: any change point

    double hit_rate() const;
    double false_alarm_rate() const;
    /// Hits less false alarms: 0 for a detector that alarms everywhere, or nowhere.
    double gain() const { return hit_rate() - false_alarm_rate(); }
};

/// Judges one answer a series: its change point with the highest score, the first of equal ones. Nothing once
/// `is_stopped` says so.
std::optional<EventShare> judge_series(const std::vector<JudgedSeries>& series,
                                       const std::vector<std::size_t>& members, const CpdSettings& settings,
                                       const std::function<bool()>& is_stopped);

/// The reference's: share of the series with any change point between `first` and `last`. CUSUM's slack is
/// `slack` deviations of each series, where given. Nothing once `is_stopped` says so.
std::optional<double> reference_hit_rate(const std::vector<JudgedSeries>& series, CpdSettings settings,
                                         std::optional<double> slack,
                                         const std::function<bool()>& is_stopped);

}  // namespace nightshift::jobs
