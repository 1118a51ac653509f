#include "jobs/cpd/cpd_settings.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
/// A segment has to pay for its mean and for the choice of its place: about 3 log n squares of the noise.
constexpr double kPenaltyPerLog = 3;

bool is_given(const json& params, const char* name) {
    const auto found = params.find(name);
    return found != params.end() && !found->is_null();
}

template <typename T>
void take(const json& params, const char* name, T& into) {
    if (is_given(params, name)) into = params.at(name).get<T>();
}

void take(const json& params, const char* name, std::optional<double>& into) {
    if (is_given(params, name)) into = params.at(name).get<double>();
}

CpdMethod method_of(const json& params, bool has_dataset, bool is_compat) {
    if (!is_given(params, "method")) return has_dataset && !is_compat ? CpdMethod::kEvent : CpdMethod::kCusum;
    const auto word = params.at("method").get<std::string>();
    if (word == "event") {
        if (has_dataset && !is_compat) return CpdMethod::kEvent;
        throw JobError("bad_param",
                       is_compat ? "method=event is not the reference's; leave out compat, or take cusum, "
                                   "window or pelt"
                                 : "method=event looks at tracks: give dataset instead of table, or take "
                                   "cusum, window or pelt");
    }
    return word == "window" ? CpdMethod::kWindow : word == "pelt" ? CpdMethod::kPelt : CpdMethod::kCusum;
}

CpdResult marked(std::size_t samples, const std::vector<std::int64_t>& points, std::vector<double> scores) {
    CpdResult out;
    out.scores = scores.empty() ? std::vector<double>(samples, kNaN) : std::move(scores);
    for (const std::int64_t point : points) {
        const auto at = static_cast<std::size_t>(point);
        out.events.push_back({at, out.scores[at]});
    }
    return out;
}

/// PELT scores no samples; a change point's score is the step it makes, in standard deviations of the noise.
CpdResult segmented(const std::vector<double>& x, const CpdSettings& settings,
                    const std::function<bool()>& is_stopped) {
    kernels::PeltOptions options = settings.pelt;
    options.is_stopped = is_stopped;
    const double noise = kernels::difference_noise(x), sigma = noise > 0 ? noise : 1;
    if (!settings.is_compat && !settings.is_pen_given)
        options.pen = kPenaltyPerLog * std::log(static_cast<double>(x.size())) * sigma * sigma;
    const kernels::Segmentation found =
        settings.is_compat ? kernels::pelt_compat(x, options) : kernels::pelt_exact(x, options);
    CpdResult out{{}, std::vector<double>(x.size(), kNaN)};
    const auto mean = [&](std::size_t first, std::size_t end) {
        double sum = 0;
        for (std::size_t i = first; i < end; ++i) sum += x[i];
        return sum / static_cast<double>(end - first);
    };
    for (std::size_t k = 0; k < found.change_points.size(); ++k) {
        const auto at = static_cast<std::size_t>(found.change_points[k]);
        const auto before = k == 0 ? 0 : static_cast<std::size_t>(found.change_points[k - 1]);
        const auto after = k + 1 < found.change_points.size()
                               ? static_cast<std::size_t>(found.change_points[k + 1])
                               : x.size();
        out.scores[at] = std::abs(mean(at, after) - mean(before, at)) / sigma;
        out.events.push_back({at, out.scores[at]});
    }
    return out;
}

}  // namespace

CpdSettings cpd_settings(const json& params, bool has_dataset) {
    CpdSettings out;
    out.is_compat = params.at("compat").get<bool>();
    out.method = method_of(params, has_dataset, out.is_compat);
    take(params, "threshold", out.threshold);
    take(params, "threshold", out.cusum.threshold);
    take(params, "threshold", out.runs.threshold);
    take(params, "sensitivity", out.cusum.sensitivity);
    take(params, "sensitivity", out.runs.sensitivity);
    take(params, "target", out.cusum.target);
    take(params, "baseline", out.runs.baseline);
    take(params, "window_size", out.window.window_size);
    take(params, "window_size", out.contrast.window_size);
    take(params, "step_size", out.window.step_size);
    take(params, "threshold_ratio", out.window.threshold_ratio);
    take(params, "threshold_ratio", out.contrast.threshold);
    take(params, "jump", out.pelt.jump);
    take(params, "pen", out.pelt.pen);
    take(params, "false_alarms", out.false_alarms);
    out.is_pen_given = is_given(params, "pen");
    int min_size = 3;
    take(params, "min_size", min_size);
    out.cusum.min_size = out.window.min_size = out.runs.min_size = min_size;
    out.contrast.min_size = out.pelt.min_size = min_size;
    return out;
}

CpdResult detect_changes(const std::vector<double>& x, const CpdSettings& settings,
                         const std::function<bool()>& is_stopped) {
    if (x.empty()) return {};
    switch (settings.method) {
        case CpdMethod::kPelt:
            return segmented(x, settings, is_stopped);
        case CpdMethod::kWindow: {
            auto found = settings.is_compat ? kernels::window_compat(x, settings.window)
                                            : kernels::window_contrast(x, settings.contrast);
            return marked(x.size(), found.change_points, std::move(found.scores));
        }
        case CpdMethod::kCusum:
        case CpdMethod::kEvent:
            break;
    }
    if (settings.is_compat) {
        auto found = kernels::cusum_compat(x, settings.cusum);
        return marked(x.size(), found.change_points, std::move(found.scores));
    }
    const kernels::Runs found = kernels::cusum_runs(x, settings.runs);
    CpdResult out{{}, found.scores};
    for (const kernels::Run& run : found.runs)
        out.events.push_back({static_cast<std::size_t>(run.start), run.score});
    return out;
}

}  // namespace nightshift::jobs
