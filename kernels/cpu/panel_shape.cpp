#include "kernels/cpu/panel_shape.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/cpu/panel_loops.h"

namespace nightshift::kernels {

namespace {

constexpr int kHalfWindow = static_cast<int>(kSmoothWidth) / 2;  ///< Savitzky-Golay
constexpr int kPasses = 2;                                       ///< of outlier clipping
constexpr int kRounds = 6;                                       ///< of the alternating fit
constexpr double kClip = 3;
constexpr double kNoiseFloor = .05;  ///< px; keeps a frame without noise from taking all the weight
/// Standard deviation of rounding, in units. On a straight part it is no noise but a staircase, which the
/// roughness does not see: without this floor the first frames would count ten times too much.
constexpr double kRounding = .29;
/// Of normally distributed values' sizes the median is .85 of the mean.
constexpr double kMedianLow = .65, kMedianHigh = 1;
constexpr std::size_t kMedianMin = 64;
/// So few are ranked by comparing all with all, which has no branch that depends on them.
constexpr std::size_t kRankedMax = 96;

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
void roughness(const PanelLoops& loops, const double* line, int points, std::vector<double>& out) {
    static const auto kWeights = smoothing_weights();
    std::fill(out.begin(), out.end(), 0.0);
    const int inner = points - 2 * kHalfWindow;
    if (inner <= 0) return;
    double* middle = out.data() + kHalfWindow;
    loops.smooth(line, kWeights.data(), middle, static_cast<std::size_t>(inner));
    for (int p = 0; p < inner; ++p) middle[p] = line[p + kHalfWindow] - middle[p];
}

/// Where a place lies between two points, the same in every frame.
struct Between {
    std::size_t point;
    double share;
};

std::array<Between, kPlaces> places_between(int points) {
    std::array<Between, kPlaces> out;
    const double first = kHalfWindow, end = points - 1 - kHalfWindow;
    for (int j = 0; j < kPlaces; ++j) {
        const double at = std::clamp(place_share(j) * (points - 1), first, end - 1e-9);
        const auto p = static_cast<std::size_t>(at);
        out[static_cast<std::size_t>(j)] = {p, at - static_cast<double>(p)};
    }
    return out;
}

/// What angles_of_frame writes in for every frame.
struct Tangents {
    explicit Tangents(int points)
        : places(places_between(points)),
          dx(static_cast<std::size_t>(points)),
          dy(dx.size()),
          along(dx.size()) {}
    std::array<Between, kPlaces> places;
    std::vector<double> dx, dy;  ///< slopes of both coordinates in the window around a point
    std::vector<double> along;
};

void angles_of_frame(const PanelLoops& loops, const CleanTracks& t, int frame, double* out, Tangents& work) {
    const std::size_t inner = static_cast<std::size_t>(t.points - 2 * kHalfWindow);
    loops.tangents(t.x.data() + t.at(frame, 0), work.dx.data() + kHalfWindow, inner);
    loops.tangents(t.y.data() + t.at(frame, 0), work.dy.data() + kHalfWindow, inner);
    double last = 0;
    for (int p = kHalfWindow; p < t.points - kHalfWindow; ++p) {
        const auto i = static_cast<std::size_t>(p);
        double angle = std::atan2(work.dy[i], work.dx[i]);
        // The panel leaves its clamp near direction 0 and never turns by pi between two points.
        const double turns = (angle - last) / (2 * std::numbers::pi);
        if (!(std::abs(turns) < .5)) angle -= 2 * std::numbers::pi * std::round(turns);
        work.along[i] = angle;
        last += (angle - last) * .3;
        if (p == kHalfWindow) last = angle;
    }
    const std::vector<double>& along = work.along;
    for (std::size_t j = 0; j < kPlaces; ++j) {
        const auto [p, share] = work.places[j];
        out[j] = along[p] * (1 - share) + (p + 1 < along.size() ? along[p + 1] : along[p]) * share;
    }
}

/// Slope of a profile along the panel, by least squares.
double slope_of(const PanelLoops& loops, const std::array<double, kPlaces>& profile) {
    std::array<double, kPlaces> share{}, ones{}, none{};
    for (int j = 0; j < kPlaces; ++j) share[static_cast<std::size_t>(j)] = place_share(j);
    ones.fill(1);
    double offset = 0, slope = 0;
    loops.fit_lines(profile.data(), none.data(), share.data(), ones.data(), kPlaces, 1, &offset, &slope);
    return slope;
}

/// Angles turned to [kPlaces, frames]: fits of all frames run beside each other.
std::vector<double> by_place(const PanelShape& s) {
    const auto frames = static_cast<std::size_t>(s.frames);
    std::vector<double> out(s.angle.size());
    for (std::size_t f = 0; f < frames; ++f) {
        for (std::size_t j = 0; j < kPlaces; ++j) out[j * frames + f] = s.angle[f * kPlaces + j];
    }
    return out;
}

void alternate(const PanelLoops& loops, const std::vector<double>& turned, PanelShape& s) {
    const auto frames = static_cast<std::size_t>(s.frames);
    std::array<double, kPlaces> ones{};
    ones.fill(1);
    loops.fit_lines(turned.data(), s.still.data(), s.omega.data(), ones.data(), kPlaces, frames,
                    s.rotation.data(), s.theta.data());
    loops.fit_lines(s.angle.data(), s.rotation.data(), s.theta.data(), s.weight.data(), frames, kPlaces,
                    s.still.data(), s.omega.data());
    // Fixes what the product leaves open: Omega has slope 1, c has slope 0 along the panel.
    const double scale = slope_of(loops, s.omega);
    if (std::abs(scale) < 1e-6) return;
    for (double& value : s.omega) value /= scale;
    for (double& value : s.theta) value *= scale;
    const double tilt = slope_of(loops, s.still);
    for (std::size_t j = 0; j < kPlaces; ++j) s.still[j] -= tilt * s.omega[j];
    for (double& value : s.theta) value += tilt;
}

}  // namespace

double robust_deviation(std::vector<double>& values) {
    if (values.empty()) return 0;
    const PanelLoops loops = panel_loops(cpu_variant());
    const double sum = loops.take_sizes(values.data(), values.size());
    const std::size_t rank = values.size() / 2;
    // The median of sizes mostly lies near their mean: only those are sorted. NaN ends in the plain way.
    const double mean = sum / static_cast<double>(values.size()), low = kMedianLow * mean,
                 high = kMedianHigh * mean;
    const std::size_t below = loops.count_below(values.data(), values.size(), low);
    if (below <= rank && values.size() >= kMedianMin) {
        std::vector<double> near(values.size() + 1);
        std::size_t count = 0;
        for (const double value : values) {
            near[count] = value;
            count += value >= low && value < high ? 1 : 0;
        }
        if (rank < below + count) {
            if (count <= kRankedMax) return 1.4826 * loops.value_of_rank(near.data(), count, rank - below);
            const auto middle = near.begin() + static_cast<std::ptrdiff_t>(rank - below);
            std::nth_element(near.begin(), middle, near.begin() + static_cast<std::ptrdiff_t>(count));
            return 1.4826 * *middle;
        }
    }
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(rank);
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
    const PanelLoops loops = panel_loops(cpu_variant());
    std::vector<double> rough_x(points), rough_y(points), all;
    double far = 0;
    for (int f = 0; f < t.frames; ++f) {
        double* x = out.x.data() + out.at(f, 0);
        double* y = out.y.data() + out.at(f, 0);
        fill_gaps(t, f, x, t.x.data() + t.at(f, 0));
        fill_gaps(t, f, y, t.y.data() + t.at(f, 0));
        double noise = 0;
        for (int pass = 0; pass < kPasses; ++pass) {
            roughness(loops, x, t.points, rough_x);
            roughness(loops, y, t.points, rough_y);
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
    const PanelLoops loops = panel_loops(cpu_variant());
    Tangents work(t.points);
    for (int f = 0; f < t.frames; ++f)
        angles_of_frame(loops, t, f, s.angle.data() + static_cast<std::size_t>(f) * kPlaces, work);
    double sum = 0;
    for (double noise : t.noise_px) {
        s.weight.push_back(1 / (noise * noise));
        sum += s.weight.back();
    }
    for (double& weight : s.weight) weight *= static_cast<double>(frames) / sum;
    for (int j = 0; j < kPlaces; ++j) s.omega[static_cast<std::size_t>(j)] = place_share(j);
    const std::vector<double> turned = by_place(s);
    for (int round = 0; round < kRounds; ++round) alternate(loops, turned, s);
    double squares = 0;
    for (int f = 0; f < t.frames; ++f) {
        for (int j = 0; j < kPlaces; ++j)
            squares += s.weight[static_cast<std::size_t>(f)] * s.left(f, j) * s.left(f, j);
    }
    s.residual = std::sqrt(squares / static_cast<double>(frames * kPlaces));
    return s;
}

}  // namespace nightshift::kernels
