#include "kernels/compat_features.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/exact_motion.h"
#include "kernels/cpu/feature_checks.h"
#include "kernels/cpu/feature_columns.h"
#include "kernels/cpu/feature_layout.h"
#include "kernels/cpu/float_motion.h"
#include "kernels/cpu/series_statistics.h"

namespace nightshift::kernels {

namespace {

Moments scaled(const Moments& m, double factor) {
    return {m.mean * factor, m.max * factor, m.deviation * factor};
}

/// Where a sequence's columns go: [frames, 75] and [6].
struct FeatureOut {
    double *rows, *global;
};

double* row_of(const FeatureOut& out, int frame) {
    return out.rows + static_cast<std::size_t>(frame) * kCompatColumns;
}

/// The 21 base columns of every frame, and the global row. MotionWalk: ExactMotion or FloatMotion.
template <typename MotionWalk>
void base_columns(const TrackView& t, const FrameMetrics& metrics, const FeatureOut& out) {
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
        row[kMetricsColumn] = metrics.bend_angle_deg[i];
        row[kMetricsColumn + 1] = metrics.curvature_concentration[i];
        row[kMetricsColumn + 2] = metrics.est_max_strain[i];
        const auto n = static_cast<double>(now.points);
        strain_sum += strain.mean * n;
        acceleration_sum += acceleration.mean * n;
        strain_max = std::max(strain_max, strain.max);
        acceleration_max = std::max(acceleration_max, acceleration.max);
        count += n;
    }
    const std::array<double, kCompatGlobalColumns> global{static_cast<double>(t.frames),
                                                          static_cast<double>(t.points),
                                                          count > 0 ? strain_sum / count : 0,
                                                          strain_max,
                                                          count > 0 ? acceleration_sum / count : 0,
                                                          acceleration_max};
    std::copy(global.begin(), global.end(), out.global);
}

std::vector<double> column(const FeatureOut& out, int frames, std::size_t index) {
    std::vector<double> values(static_cast<std::size_t>(frames));
    for (std::size_t f = 0; f < values.size(); ++f) values[f] = out.rows[f * kCompatColumns + index];
    return values;
}

/// Moments, correlations and spectra of whole series, the same in every frame.
void series_columns(const TrackView& t, const FeatureOut& out) {
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
        std::copy(constants.begin(), constants.end(), row_of(out, f) + kShapeColumn);
        std::copy(spectral.begin(), spectral.end(), row_of(out, f) + kSpectrumColumn);
    }
}

/// Change from frame to frame of the mean and max columns, its size, and its own change.
void change_columns(const TrackView& t, const FeatureOut& out) {
    std::size_t to = kChangeColumn;
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

void write_columns(const TrackView& tracks, const FrameMetrics& metrics, Precision precision, double* rows,
                   double* global) {
    const FeatureOut out{rows, global};
    if (precision == Precision::fp32)
        base_columns<FloatMotion>(tracks, metrics, out);
    else
        base_columns<ExactMotion>(tracks, metrics, out);
    series_columns(tracks, out);
    change_columns(tracks, out);
}

void compat_features(const TrackView& tracks, const FrameMetrics& metrics, Precision precision,
                     CompatFeatures& out) {
    check_fits(tracks, metrics, precision);
    out.rows.resize(static_cast<std::size_t>(tracks.frames) * kCompatColumns);
    write_columns(tracks, metrics, precision, out.rows.data(), out.global.data());
}

CompatFeatures compat_features(const TrackView& tracks, const FrameMetrics& metrics, Precision precision) {
    CompatFeatures out;
    compat_features(tracks, metrics, precision, out);
    return out;
}

}  // namespace nightshift::kernels
