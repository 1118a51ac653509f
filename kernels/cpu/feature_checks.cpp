#include "kernels/cpu/feature_checks.h"

#include <cmath>
#include <stdexcept>
#include <string>

#include "kernels/cpu/plan_checks.h"

namespace nightshift::kernels {

namespace {

void require(bool is_met, const char* what) {
    if (!is_met) throw std::invalid_argument(std::string("compat_features: ") + what);
}

bool is_above_0(double value) {
    return std::isfinite(value) && value > 0;
}

/// All but the planes.
void check_shape(const TrackView& tracks, const FrameMetrics& metrics, Precision precision) {
    require(tracks.points >= 0 && tracks.frames >= 0, "points and frames must not be negative");
    const auto frames = static_cast<std::size_t>(tracks.frames);
    require(metrics.bend_angle_deg.size() >= frames && metrics.curvature_concentration.size() >= frames &&
                metrics.est_max_strain.size() >= frames,
            "each of the metrics needs a value a frame");
    require(is_above_0(tracks.fps) && is_above_0(tracks.units_per_pixel),
            "fps and units_per_pixel must be above 0");
    const double rate = tracks.fps / tracks.units_per_pixel;
    require(precision == Precision::fp64 || (rate >= kFloatRateMin && rate <= kFloatRateMax),
            "fps / units_per_pixel does not fit single precision: use Precision::fp64");
}

}  // namespace

void check_fits(const TrackView& tracks, const FrameMetrics& metrics, Precision precision) {
    check_shape(tracks, metrics, precision);
    const std::size_t values =
        static_cast<std::size_t>(tracks.frames) * static_cast<std::size_t>(tracks.points);
    require(tracks.x.size() >= values && tracks.y.size() >= values,
            "x and y need points x frames values each");
    require(tracks.present.empty() || tracks.present.size() >= values,
            "the plane of present points needs points x frames values, or none");
}

void check_fits(const FeatureInput& sequence, Precision precision) {
    require(sequence.metrics != nullptr, "a sequence needs metrics");
    check_fits(sequence.tracks, *sequence.metrics, precision);
}

void check_fits(const DrawnFeatureInput& sequence, Precision precision) {
    require(sequence.metrics != nullptr && sequence.plan != nullptr, "a sequence needs a plan and metrics");
    require((sequence.tracks.x == nullptr) == (sequence.tracks.y == nullptr),
            "drawn tracks go into two planes or none");
    check_plan(*sequence.plan);
    check_shape(view_of(sequence, {nullptr, nullptr}), *sequence.metrics, precision);
}

TrackView view_of(const DrawnFeatureInput& sequence, TrackPlanes planes) {
    const TrackPlan& plan = *sequence.plan;
    const std::size_t values = planes.x == nullptr ? 0 : plan.points.size() * plan.frames.size();
    return {{planes.x, values},
            {planes.y, values},
            {},
            static_cast<int>(plan.points.size()),
            static_cast<int>(plan.frames.size()),
            static_cast<double>(plan.units_per_pixel),
            sequence.fps};
}

}  // namespace nightshift::kernels
