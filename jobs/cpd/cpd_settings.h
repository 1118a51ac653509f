#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "kernels/change_points.h"

namespace nightshift::jobs {

enum class CpdMethod : std::uint8_t { kEvent, kCusum, kWindow, kPelt };

/// How series are searched: what `detect.cpd` was asked for, defaults filled in.
struct CpdSettings {
    CpdMethod method = CpdMethod::kCusum;
    bool is_compat = false;
    kernels::CusumOptions cusum;        ///< compat
    kernels::WindowOptions window;      ///< compat
    kernels::RunOptions runs;           ///< cusum, ours
    kernels::ContrastOptions contrast;  ///< window, ours
    kernels::PeltOptions pelt;
    bool is_pen_given = false;        ///< else pelt's penalty follows from the noise of each series
    std::optional<double> threshold;  ///< event: of the score; none = from normal sequences
    double false_alarms = .01;        ///< event: share of normal sequences that may alarm
};

/// Throws JobError("bad_param") for a combination that means nothing.
CpdSettings cpd_settings(const nlohmann::json& params, bool has_dataset);

/// One change point.
struct CpdEvent {
    std::size_t index = 0;  ///< sample of the series
    double score = 0;
};

struct CpdResult {
    std::vector<CpdEvent> events;
    std::vector<double> scores;  ///< [samples]; NaN where the method has none
};

/// Searches one series by cusum, window or pelt. Any thread. Once `is_stopped` says so a long search ends
/// without events: the caller has to look whether it was stopped.
CpdResult detect_changes(const std::vector<double>& series, const CpdSettings& settings,
                         const std::function<bool()>& is_stopped);

}  // namespace nightshift::jobs
