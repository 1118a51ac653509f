#include "kernels/cpu/panel_shape.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nightshift::kernels {

namespace {

constexpr int kHalfWindow = 5;  ///< Savitzky-Golay over 11 points
constexpr int kPasses = 2;      ///< of outlier clipping
constexpr int kRounds = 6;      ///< of the alternating fit
constexpr double kClip = 3;
constexpr double kNoiseFloor = .05;  ///< px; keeps a frame without noise from taking all the weight
/// Standard deviation of rounding, in units. On a straight part it is no noise but a staircase, which the
/// roughness does not see: without this floor the first frames would count ten times too much.
constexpr double kRounding = .29;

/// Quadratic Savitzky-Golay smoothing weights of 2h+1 points for the middle one.
std::array<double, 2 * kHalfWindow + 1> smoothing_weights() {
    constexpr double h = kHalfWindow;
    std::array<double, 2 * kHalfWindow + 1> out{};
    const double scale = (4 * h * h - 1) * (2 * h + 3) / 3;
    for (int i = -kHalfWindow; i <= kHalfWindow; ++i) {
        out[static_cast<std::size_t>(i + kHalfWindow)] = (3 * h * h + 3 * h - 1 - 5.0 * i * i) / scale;
    }
    return out;
}

/// Gaps are filled along the panel; what lies before the first or after the last seen point repeats it.
void fill_gaps(const TrackView& t, int frame, double* line, const std::int16_t* plane) {
    int before = -1;
    for (int p = 0; p < t.points; ++p) {
        if (!t.present.empty() && t.present[t.at(frame, p)] == 0) continue;
        line[p] = plane[p] / t.units_per_pixel;
        for (int gap = before + 1; gap < p; ++gap) {
            line[gap] = before < 0 ? line[p]
                                   : line[before] + (line[p] - line[before]) * (gap - before) / (p - before);
        }
        before = p;
    }
    for (int gap = before + 1; gap < t.points; ++gap) line[gap] = before < 0 ? 0 : line[before];
}

/// Distance of each point from the smoothed line; points near the ends keep 0.
void roughness(const double* line, int points, std::vector<double>& out) {
    static const auto kWeights = smoothing_weights();
    std::fill(out.begin(), out.end(), 0.0);
    for (int p = kHalfWindow; p < points - kHalfWindow; ++p) {
        double smooth = 0;
        for (int i = 0; i <= 2 * kHalfWindow; ++i)
            smooth += kWeights[static_cast<std::size_t>(i)] * line[p - kHalfWindow + i];
        out[static_cast<std::size_t>(p)] = line[p] - smooth;
    }
}

/// Tangent angle at the window's middle, from the slopes of both coordinates.
double tangent(const double* x, const double* y, int p) {
    double dx = 0, dy = 0;
    for (int i = 1; i <= kHalfWindow; ++i) {
        dx += i * (x[p + i] - x[p - i]);
        dy += i * (y[p + i] - y[p - i]);
    }
    return std::atan2(dy, dx);
}

void angles_of_frame(const CleanTracks& t, int frame, double* out, std::vector<double>& along) {
    const double* x = t.x.data() + t.at(frame, 0);
    const double* y = t.y.data() + t.at(frame, 0);
    double last = 0;
    for (int p = kHalfWindow; p < t.points - kHalfWindow; ++p) {
        double angle = tangent(x, y, p);
        // The panel leaves its clamp near direction 0 and never turns by pi between two points.
        angle -= 2 * std::numbers::pi * std::round((angle - last) / (2 * std::numbers::pi));
        along[static_cast<std::size_t>(p)] = angle;
        last += (angle - last) * .3;
        if (p == kHalfWindow) last = angle;
    }
    const double first = kHalfWindow, end = t.points - 1 - kHalfWindow;
    for (int j = 0; j < kPlaces; ++j) {
        const double at = std::clamp(place_share(j) * (t.points - 1), first, end - 1e-9);
        const auto p = static_cast<std::size_t>(at);
        const double share = at - static_cast<double>(p);
        out[j] = along[p] * (1 - share) + (p + 1 < along.size() ? along[p + 1] : along[p]) * share;
    }
}

/// Straight-line fit of a response on one regressor with weights; the regressor's mean is taken out.
struct Line {
    double offset, slope;
};

Line fit_line(const double* regressor, const double* response, const double* weights, std::size_t n,
              std::size_t response_stride) {
    double sw = 0, sx = 0, sy = 0;
    for (std::size_t i = 0; i < n; ++i) {
        sw += weights[i];
        sx += weights[i] * regressor[i];
        sy += weights[i] * response[i * response_stride];
    }
    const double mx = sx / sw, my = sy / sw;
    double sxx = 0, sxy = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const double d = regressor[i] - mx;
        sxx += weights[i] * d * d;
        sxy += weights[i] * d * (response[i * response_stride] - my);
    }
    const double slope = sxx > 1e-12 ? sxy / sxx : 0;
    return {my - slope * mx, slope};
}

/// Slope of a profile along the panel, by least squares.
double slope_of(const std::array<double, kPlaces>& profile) {
    std::array<double, kPlaces> share{}, ones{};
    for (int j = 0; j < kPlaces; ++j) share[static_cast<std::size_t>(j)] = place_share(j);
    ones.fill(1);
    return fit_line(share.data(), profile.data(), ones.data(), kPlaces, 1).slope;
}

void alternate(PanelShape& s) {
    const auto frames = static_cast<std::size_t>(s.frames);
    std::array<double, kPlaces> ones{}, rest{};
    ones.fill(1);
    for (std::size_t f = 0; f < frames; ++f) {
        for (std::size_t j = 0; j < kPlaces; ++j) rest[j] = s.angle[f * kPlaces + j] - s.still[j];
        const Line line = fit_line(s.omega.data(), rest.data(), ones.data(), kPlaces, 1);
        s.rotation[f] = line.offset;
        s.theta[f] = line.slope;
    }
    std::vector<double> turned(s.angle.size());
    for (std::size_t f = 0; f < frames; ++f) {
        for (std::size_t j = 0; j < kPlaces; ++j)
            turned[f * kPlaces + j] = s.angle[f * kPlaces + j] - s.rotation[f];
    }
    for (std::size_t j = 0; j < kPlaces; ++j) {
        const Line line = fit_line(s.theta.data(), turned.data() + j, s.weight.data(), frames, kPlaces);
        s.still[j] = line.offset;
        s.omega[j] = line.slope;
    }
    // Fixes what the product leaves open: Omega has slope 1, c has slope 0 along the panel.
    const double scale = slope_of(s.omega);
    if (std::abs(scale) < 1e-6) return;
    for (double& value : s.omega) value /= scale;
    for (double& value : s.theta) value *= scale;
    const double tilt = slope_of(s.still);
    for (std::size_t j = 0; j < kPlaces; ++j) s.still[j] -= tilt * s.omega[j];
    for (double& value : s.theta) value += tilt;
}

}  // namespace

double robust_deviation(std::vector<double>& values) {
    if (values.empty()) return 0;
    for (double& value : values) value = std::abs(value);
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return 1.4826 * *middle;
}

CleanTracks clean_tracks(const TrackView& t) {
    CleanTracks out;
    out.points = t.points;
    out.frames = t.frames;
    out.x.resize(t.x.size());
    out.y.resize(t.y.size());
    const auto points = static_cast<std::size_t>(t.points);
    std::vector<double> rough_x(points), rough_y(points), all;
    double far = 0;
    for (int f = 0; f < t.frames; ++f) {
        double* x = out.x.data() + out.at(f, 0);
        double* y = out.y.data() + out.at(f, 0);
        fill_gaps(t, f, x, t.x.data() + t.at(f, 0));
        fill_gaps(t, f, y, t.y.data() + t.at(f, 0));
        double noise = 0;
        for (int pass = 0; pass < kPasses; ++pass) {
            roughness(x, t.points, rough_x);
            roughness(y, t.points, rough_y);
            all.assign(rough_x.begin() + kHalfWindow, rough_x.end() - kHalfWindow);
            all.insert(all.end(), rough_y.begin() + kHalfWindow, rough_y.end() - kHalfWindow);
            noise = std::max({robust_deviation(all), kNoiseFloor, kRounding / t.units_per_pixel});
            for (std::size_t p = 0; p < points; ++p) {
                const double dx = std::clamp(rough_x[p], -kClip * noise, kClip * noise);
                const double dy = std::clamp(rough_y[p], -kClip * noise, kClip * noise);
                if (pass == 0 && (dx != rough_x[p] || dy != rough_y[p])) ++far;
                x[p] -= rough_x[p] - dx;
                y[p] -= rough_y[p] - dy;
            }
        }
        out.noise_px.push_back(noise);
    }
    out.outlier_rate = far / static_cast<double>(std::max<std::size_t>(t.x.size(), 1));
    return out;
}

PanelShape fit_shape(const CleanTracks& t) {
    PanelShape s;
    s.frames = t.frames;
    const auto frames = static_cast<std::size_t>(t.frames);
    s.angle.resize(frames * kPlaces);
    s.theta.resize(frames);
    s.rotation.resize(frames);
    std::vector<double> along(static_cast<std::size_t>(t.points));
    for (int f = 0; f < t.frames; ++f)
        angles_of_frame(t, f, s.angle.data() + static_cast<std::size_t>(f) * kPlaces, along);
    double sum = 0;
    for (double noise : t.noise_px) {
        s.weight.push_back(1 / (noise * noise));
        sum += s.weight.back();
    }
    for (double& weight : s.weight) weight *= static_cast<double>(frames) / sum;
    for (int j = 0; j < kPlaces; ++j) s.omega[static_cast<std::size_t>(j)] = place_share(j);
    for (int round = 0; round < kRounds; ++round) alternate(s);
    double squares = 0;
    for (int f = 0; f < t.frames; ++f) {
        for (int j = 0; j < kPlaces; ++j)
            squares += s.weight[static_cast<std::size_t>(f)] * s.left(f, j) * s.left(f, j);
    }
    s.residual = std::sqrt(squares / static_cast<double>(frames * kPlaces));
    return s;
}

}  // namespace nightshift::kernels
