#include "kernels/compat_features.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace nightshift::kernels {

namespace {

constexpr double kSpeedFloor = 1e-6;  ///< the reference's, px/s
constexpr int kSurrogates = 6;

// In the order of the reference's table.
constexpr std::array<std::string_view, kSurrogates> kSurrogateNames{
    "strain_surrogate", "stress_surrogate", "impact_surrogate", "curvature_like", "acceleration", "speed"};
enum Surrogate { kStrain, kStress, kImpact, kCurvature, kAcceleration, kSpeed };

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

/// Position, velocity and time of each point's last appearance.
struct PointState {
    std::vector<double> x, y, vx, vy;
    std::vector<std::uint8_t> seen;

    explicit PointState(std::size_t points) : x(points), y(points), vx(points), vy(points), seen(points) {}
};

/// Per point of one frame, compacted to the points that are there.
struct FrameValues {
    std::vector<double> curvature, acceleration, speed;
};

void advance(const TrackView& t, int frame, PointState& state, FrameValues& out) {
    out.curvature.clear();
    out.acceleration.clear();
    out.speed.clear();
    const double fps = t.fps, dt = 1 / fps;
    for (int p = 0; p < t.points; ++p) {
        const std::size_t at = t.at(frame, p);
        if (!t.present.empty() && t.present[at] == 0) continue;
        const auto i = static_cast<std::size_t>(p);
        const double x = t.x[at] / t.units_per_pixel, y = t.y[at] / t.units_per_pixel;
        double vx = 0, vy = 0, dvx = 0, dvy = 0;
        if (state.seen[i]) {
            vx = (x - state.x[i]) / dt;
            vy = (y - state.y[i]) / dt;
            dvx = vx - state.vx[i];
            dvy = vy - state.vy[i];
        }
        state.x[i] = x;
        state.y[i] = y;
        state.vx[i] = vx;
        state.vy[i] = vy;
        state.seen[i] = 1;
        const double speed = std::sqrt(vx * vx + vy * vy);
        const double change = std::sqrt(dvx * dvx + dvy * dvy);
        out.speed.push_back(speed);
        out.acceleration.push_back(change / dt);
        out.curvature.push_back(change / (speed + kSpeedFloor));
    }
}

struct Moments {
    double mean = 0, max = 0, deviation = 0;  ///< deviation with n - 1; 0 for a single value
};

Moments moments(const std::vector<double>& values) {
    Moments out;
    if (values.empty()) return out;
    double sum = 0;
    out.max = values[0];
    for (double value : values) {
        sum += value;
        out.max = std::max(out.max, value);
    }
    out.mean = sum / static_cast<double>(values.size());
    if (values.size() < 2) return out;
    double squares = 0;
    for (double value : values) squares += (value - out.mean) * (value - out.mean);
    out.deviation = std::sqrt(squares / static_cast<double>(values.size() - 1));
    return out;
}

Moments scaled(const Moments& m, double factor) {
    return {m.mean * factor, m.max * factor, m.deviation * factor};
}

double* row_of(CompatFeatures& out, int frame) {
    return out.rows.data() + static_cast<std::size_t>(frame) * kCompatColumns;
}

/// The 21 base columns of every frame, and the global row.
void base_columns(const TrackView& t, const FrameMetrics& metrics, CompatFeatures& out) {
    PointState state(static_cast<std::size_t>(t.points));
    FrameValues values;
    double strain_sum = 0, strain_max = 0, acceleration_sum = 0, acceleration_max = 0, count = 0;
    for (int f = 0; f < t.frames; ++f) {
        const auto i = static_cast<std::size_t>(f);
        advance(t, f, state, values);
        const Moments curvature = moments(values.curvature), acceleration = moments(values.acceleration);
        const double strain_px = std::max(metrics.est_max_strain[i], 0.0);
        const Moments strain = scaled(curvature, curvature.max > 0 ? strain_px / curvature.max : 0);
        const std::array<Moments, kSurrogates> all{strain,    strain,       scaled(acceleration, 1 / t.fps),
                                                   curvature, acceleration, moments(values.speed)};
        double* row = row_of(out, f);
        for (std::size_t k = 0; k < all.size(); ++k) {
            row[3 * k] = all[k].mean;
            row[3 * k + 1] = all[k].max;
            row[3 * k + 2] = all[k].deviation;
        }
        row[18] = metrics.bend_angle_deg[i];
        row[19] = metrics.curvature_concentration[i];
        row[20] = metrics.est_max_strain[i];
        const auto here = static_cast<double>(values.speed.size());
        strain_sum += strain.mean * here;
        acceleration_sum += acceleration.mean * here;
        strain_max = std::max(strain_max, strain.max);
        acceleration_max = std::max(acceleration_max, acceleration.max);
        count += here;
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
    for (const int source : kMomentSources) {
        const auto s = series_statistics(column(out, t.frames, static_cast<std::size_t>(3 * source)), t.fps);
        constants.insert(constants.end(), {s.skewness, s.kurtosis, s.lag1, s.lag2});
    }
    for (const int source : kSpectrumSources) {
        const auto s = series_statistics(column(out, t.frames, static_cast<std::size_t>(3 * source)), t.fps);
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

CompatFeatures compat_features(const TrackView& tracks, const FrameMetrics& metrics) {
    CompatFeatures out;
    out.rows.resize(static_cast<std::size_t>(tracks.frames) * kCompatColumns);
    base_columns(tracks, metrics, out);
    series_columns(tracks, out);
    change_columns(tracks, out);
    return out;
}

}  // namespace nightshift::kernels
