#include "kernels/compat_features.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "kernels/cpu/exact_motion.h"
#include "kernels/cpu/feature_checks.h"
#include "kernels/cpu/float_motion.h"
#include "kernels/cpu/series_statistics.h"

namespace nightshift::kernels {

namespace {

constexpr int kSurrogates = 6;

// In the order of the reference's table.
constexpr std::array<std::string_view, kSurrogates> kSurrogateNames{
    "strain_surrogate", "stress_surrogate", "impact_surrogate", "curvature_like", "acceleration", "speed"};
enum Surrogate { kStrain, kStress, kImpact, kCurvature, kAcceleration, kSpeed };

// Spectra come in the order of the moments.
constexpr std::array<int, 3> kMomentSources{kAcceleration, kCurvature, kStrain};
constexpr std::array<int, 2> kSpectrumSources{kAcceleration, kCurvature};

std::vector<std::string> make_columns() {
    std::vector<std::string> names;
    for (const auto name : kSurrogateNames) {
        for (const char* statistic : {"_mean", "_max", "_std"})
            names.push_back(std::string(name) + statistic);
    }
    names.insert(names.end(), {"bend_angle_deg", "curvature_concentration", "est_max_strain"});
    for (const int source : kMomentSources) {
        for (const char* statistic : {"_skewness", "_kurtosis", "_autocorr_lag1", "_autocorr_lag2"}) {
            names.push_back(std::string(kSurrogateNames[static_cast<std::size_t>(source)]) + "_mean" +
                            statistic);
        }
    }
    for (const auto name : kSurrogateNames) {
        for (const char* statistic : {"_mean", "_max"}) {
            for (const char* change : {"_change_rate", "_change_rate_abs", "_change_accel"}) {
                names.push_back(std::string(name) + statistic + change);
            }
        }
    }
    for (const int source : kSpectrumSources) {
        for (const char* statistic : {"_dominant_frequency", "_spectral_power", "_spectral_entropy"}) {
            names.push_back(std::string(kSurrogateNames[static_cast<std::size_t>(source)]) + "_mean" +
                            statistic);
        }
    }
    return names;
}

Moments scaled(const Moments& m, double factor) {
    return {m.mean * factor, m.max * factor, m.deviation * factor};
}

double* row_of(CompatFeatures& out, int frame) {
    return out.rows.data() + static_cast<std::size_t>(frame) * kCompatColumns;
}

/// The 21 base columns of every frame, and the global row. MotionWalk: ExactMotion or FloatMotion.
template <typename MotionWalk>
void base_columns(const TrackView& t, const FrameMetrics& metrics, CompatFeatures& out) {
    MotionWalk motion(t);
    double strain_sum = 0, strain_max = 0, acceleration_sum = 0, acceleration_max = 0, count = 0;
    for (int f = 0; f < t.frames; ++f) {
        const auto i = static_cast<std::size_t>(f);
        FrameMoments now;
        motion.advance(f, now);
        const Moments &curvature = now.curvature, &impact = now.change, &speed = now.speed;
        const Moments acceleration = scaled(impact, t.fps);
        const double strain_px = std::max(metrics.est_max_strain[i], 0.0);
        const Moments strain = scaled(curvature, curvature.max > 0 ? strain_px / curvature.max : 0);
        const std::array<Moments, kSurrogates> all{strain, strain, impact, curvature, acceleration, speed};
        double* row = row_of(out, f);
        for (std::size_t k = 0; k < all.size(); ++k) {
            row[3 * k] = all[k].mean;
            row[3 * k + 1] = all[k].max;
            row[3 * k + 2] = all[k].deviation;
        }
        row[18] = metrics.bend_angle_deg[i];
        row[19] = metrics.curvature_concentration[i];
        row[20] = metrics.est_max_strain[i];
        const auto n = static_cast<double>(now.points);
        strain_sum += strain.mean * n;
        acceleration_sum += acceleration.mean * n;
        strain_max = std::max(strain_max, strain.max);
        acceleration_max = std::max(acceleration_max, acceleration.max);
        count += n;
    }
    out.global = {static_cast<double>(t.frames),
                  static_cast<double>(t.points),
                  count > 0 ? strain_sum / count : 0,
                  strain_max,
                  count > 0 ? acceleration_sum / count : 0,
                  acceleration_max};
}

std::vector<double> column(const CompatFeatures& out, int frames, std::size_t index) {
    std::vector<double> values(static_cast<std::size_t>(frames));
    for (std::size_t f = 0; f < values.size(); ++f) values[f] = out.rows[f * kCompatColumns + index];
    return values;
}

/// Moments, correlations and spectra of whole series, the same in every frame.
void series_columns(const TrackView& t, CompatFeatures& out) {
    std::vector<double> constants;
    std::vector<double> spectral;
    const Turns turns(static_cast<std::size_t>(t.frames));
    for (const int source : kMomentSources) {
        const std::vector<double> series = column(out, t.frames, static_cast<std::size_t>(3 * source));
        SeriesStatistics s{};
        add_moments(series, s);
        constants.insert(constants.end(), {s.skewness, s.kurtosis, s.lag1, s.lag2});
        if (std::find(kSpectrumSources.begin(), kSpectrumSources.end(), source) == kSpectrumSources.end())
            continue;
        add_spectrum(series, t.fps, turns, s);
        spectral.insert(spectral.end(), {s.dominant_frequency, s.spectral_power, s.spectral_entropy});
    }
    for (int f = 0; f < t.frames; ++f) {
        std::copy(constants.begin(), constants.end(), row_of(out, f) + kCompatBaseColumns);
        std::copy(spectral.begin(), spectral.end(), row_of(out, f) + kCompatColumns - 6);
    }
}

/// Change from frame to frame of the mean and max columns, its size, and its own change.
void change_columns(const TrackView& t, CompatFeatures& out) {
    std::size_t to = kCompatBaseColumns + 12;
    for (std::size_t k = 0; k < kSurrogates; ++k) {
        for (std::size_t statistic = 0; statistic < 2; ++statistic, to += 3) {
            double before = 0, rate_before = 0;
            for (int f = 0; f < t.frames; ++f) {
                double* row = row_of(out, f);
                const double value = row[3 * k + statistic];
                const double rate = f > 0 ? value - before : 0;
                row[to] = rate;
                row[to + 1] = std::abs(rate);
                row[to + 2] = f > 1 ? rate - rate_before : 0;
                before = value;
                rate_before = rate;
            }
        }
    }
}

}  // namespace

const std::vector<std::string>& compat_columns() {
    static const std::vector<std::string> names = make_columns();
    return names;
}

const std::vector<std::string>& compat_global_columns() {
    static const std::vector<std::string> names{"n_frames",   "n_points",          "mean_strain",
                                                "max_strain", "mean_acceleration", "max_acceleration"};
    return names;
}

void compat_features(const TrackView& tracks, const FrameMetrics& metrics, Precision precision,
                     CompatFeatures& out) {
    check_fits(tracks, metrics, precision);
    out.rows.resize(static_cast<std::size_t>(tracks.frames) * kCompatColumns);
    if (precision == Precision::fp32)
        base_columns<FloatMotion>(tracks, metrics, out);
    else
        base_columns<ExactMotion>(tracks, metrics, out);
    series_columns(tracks, out);
    change_columns(tracks, out);
}

CompatFeatures compat_features(const TrackView& tracks, const FrameMetrics& metrics, Precision precision) {
    CompatFeatures out;
    compat_features(tracks, metrics, precision, out);
    return out;
}

}  // namespace nightshift::kernels
