#include "kernels/track_plan.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>

#include "kernels/draws.h"
#include "kernels/generator_body.h"

namespace nightshift::kernels {

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kWidth = 1920, kHeight = 1080;
constexpr double kOriginX = .42 * kWidth, kOriginY = .52 * kHeight;
constexpr double kEasyVibration = .5, kVibration = .7;  ///< px; below .7 it drowns in whole pixels

double smooth_step(double u) {
    const double x = std::clamp(u, 0.0, 1.0);
    return x * x * (3 - 2 * x);
}

double gauss(double x, double centre, double width) {
    const double z = (x - centre) / width;
    return z * z > 1400 ? 0 : exp_exact(-.5 * z * z);
}

std::vector<double> drive(const PanelRecipe& r) {
    const auto n = static_cast<std::size_t>(r.frames);
    std::vector<double> raw(n);
    for (std::size_t f = 0; f < n; ++f) {
        const double share = n > 1 ? static_cast<double>(f) / static_cast<double>(n - 1) : 0;
        const double u = (share - r.start) / r.duration;
        if (r.delay > 0 || r.snap > 0) {
            const double value =
                smooth_step((u - r.delay) / (1 - r.delay)) + r.snap * gauss(u, .72, .09 / std::sqrt(2.0));
            raw[f] = std::clamp(value, 0.0, 1.12);
        } else {
            raw[f] = smooth_step(u);
        }
    }
    if (n <= 5) return raw;
    std::vector<double> smoothed(n);
    for (std::size_t f = 0; f < n; ++f) {
        const std::size_t first = f < 2 ? 0 : f - 2, last = std::min(n - 1, f + 2);
        double sum = 0;
        for (std::size_t i = first; i <= last; ++i) sum += raw[i];
        smoothed[f] = sum / static_cast<double>(last - first + 1);
    }
    return smoothed;
}

double shock_at(int frame, int event, double amplitude, double decay) {
    return event >= 0 && frame >= event && amplitude > 0 ? amplitude * exp_exact(-decay * (frame - event))
                                                         : 0;
}

double vibration_at(const PanelRecipe& r, int frame, int event, double hz, double amplitude) {
    const int since = frame - event;
    if (event < 0 || hz <= 0 || since < 0 || since > r.vibration_frames) return 0;
    const double k = since / r.fps;
    return amplitude * exp_exact(-r.vibration_damping * k * hz) * sin_exact(2 * kPi * hz * k);
}

double weight_of(const Kink& kink, double s) {
    return kink.gain == 0 ? 0 : kink.gain * gauss(s, kink.centre, kink.width);
}

std::vector<PlanPoint> plan_points(const PanelRecipe& r) {
    std::vector<PlanPoint> points(static_cast<std::size_t>(r.points));
    Draws draws(r.key, r.stream, kDrawPoint);
    double phase[4], size[4];
    for (int m = 0; m < 4; ++m) {
        phase[m] = draws.uniform(0, 2 * kPi);
        size[m] = r.waviness_px * draws.normal(0, .7);
    }
    double base = 0, damage = 0, fold = 0;
    for (int i = 0; i < r.points; ++i) {
        const double s = r.points > 1 ? static_cast<double>(i) / (r.points - 1) : 0;
        base += std::max(.2, 1 + r.skew * (2 * s - 1) + weight_of(r.bump, s));
        damage += weight_of(r.damage, s);
        fold += weight_of(r.fold, s);
        double wave = 0;
        for (int m = 0; m < 4 && r.waviness_px > 0; ++m)
            wave += size[m] * sin_exact(2 * kPi * (m + 2) * s + phase[m]);
        points[static_cast<std::size_t>(i)] = {static_cast<float>(base), static_cast<float>(damage),
                                               static_cast<float>(fold), static_cast<float>(wave)};
    }
    return points;
}

/// Shifts, extra noise and outliers that one frame gets from the recipe's noise mode and light.
struct Disturbance {
    double shift_x = 0, shift_y = 0, scale = 1, noise_px = 0, outlier_ratio = 0, outlier_px = 0;
};

Disturbance disturb(const PanelRecipe& r, int frame, Draws& draws) {
    Disturbance d;
    d.noise_px = r.noise_px;
    switch (r.noise_mode) {
        case NoiseMode::kNone:
            break;
        case NoiseMode::kGaussian:
            d.noise_px *= std::sqrt(1.25);
            break;
        case NoiseMode::kOutlier:
            d.outlier_ratio = .01 + draws.uniform(0, .03);
            d.outlier_px = 3;
            break;
        case NoiseMode::kDrift:
            d.shift_x = draws.uniform(-.8, .8) * (1 + .02 * frame);
            d.shift_y = draws.uniform(-.8, .8) * (1 + .02 * frame);
            break;
        case NoiseMode::kScaleJitter:
            d.scale = 1 + draws.uniform(-.015, .015);
            break;
        case NoiseMode::kMixed:
            d.noise_px *= std::sqrt(1.09);
            if (draws.chance(.15)) {
                d.outlier_ratio = .02;
                d.outlier_px = 2;
            }
            d.shift_x = draws.uniform(-.4, .4);
            d.shift_y = draws.uniform(-.4, .4);
            break;
    }
    const bool in_burst =
        r.burst_first >= 0 && frame >= r.burst_first && frame < r.burst_first + r.burst_frames;
    if (r.is_distorted || in_burst) {
        const double q = 1 + .5 * draws.below(5);
        d.shift_x += draws.uniform(-2 * q, 2 * q);
        d.shift_y += draws.uniform(-2 * q, 2 * q);
        const double extra = .8 + draws.uniform(0, 1.2);
        d.noise_px = std::sqrt(d.noise_px * d.noise_px + extra * extra);
        d.outlier_ratio = .01 + draws.uniform(0, .04);
        d.outlier_px = 2.5;
    }
    return d;
}

PlanFrame plan_frame(const PanelRecipe& r, int frame, double theta, double theta_end, const PlanPoint& sums) {
    Draws draws(r.key, r.stream, kDrawFrame, static_cast<std::uint32_t>(frame));
    const Disturbance d = disturb(r, frame, draws);
    PlanFrame out{};
    const double damage = r.event_frame >= 0 && frame < r.event_frame ? r.damage_before : 1;
    const double fold = 1 - r.fold_yield * (1 - smooth_step(theta_end > 0 ? theta / theta_end : 0));
    const double mean = (sums.base + damage * sums.damage + fold * sums.fold) / r.points;
    out.turn = r.points > 1 ? static_cast<float>(theta / (mean * (r.points - 1))) : 0;
    out.damage = static_cast<float>(damage);
    out.fold = static_cast<float>(fold);
    const double angle = r.rotation + (r.jitter_rotation > 0 ? draws.normal(0, r.jitter_rotation) : 0);
    const double scale = r.scale * d.scale * (1 + (r.jitter_scale > 0 ? draws.normal(0, r.jitter_scale) : 0));
    const double x_scale = scale * (1 + r.anisotropy / 2), y_scale = scale * (1 - r.anisotropy / 2);
    out.m00 = static_cast<float>(x_scale * cos_exact(angle));
    out.m01 = static_cast<float>(-x_scale * sin_exact(angle));
    out.m10 = static_cast<float>(y_scale * sin_exact(angle));
    out.m11 = static_cast<float>(y_scale * cos_exact(angle));
    const bool is_level = r.slip_frame >= 0 || r.jitter_px > 0;
    const double amplitude = is_level ? kVibration : kEasyVibration;
    const double sway = 2 * sin_exact(2 * kPi * .2 * frame / r.fps);
    const double shiver = vibration_at(r, frame, r.event_frame, r.vibration_hz, amplitude) +
                          vibration_at(r, frame, r.slip_frame, r.slip_hz, amplitude);
    const double jitter_x = r.jitter_px > 0 ? draws.normal(0, r.jitter_px) : 0;
    const double jitter_y = r.jitter_px > 0 ? draws.normal(0, r.jitter_px) : 0;
    out.origin_x = static_cast<float>(kOriginX + sway + r.drift_x * frame + jitter_x + d.shift_x);
    out.origin_y = static_cast<float>(kOriginY + shiver + r.drift_y * frame + jitter_y + d.shift_y);
    out.noise_px = static_cast<float>(d.noise_px);
    out.outlier_ratio = static_cast<float>(d.outlier_ratio);
    out.outlier_px = static_cast<float>(d.outlier_px);
    return out;
}

}  // namespace

std::vector<double> bend_angles(const PanelRecipe& r) {
    const std::vector<double> pull = drive(r);
    std::vector<double> angles(pull.size());
    double theta = 0;
    for (std::size_t f = 0; f < pull.size(); ++f) {
        const int frame = static_cast<int>(f);
        const double shock = 1 + shock_at(frame, r.event_frame, r.shock, r.shock_decay) +
                             shock_at(frame, r.slip_frame, r.slip_shock, r.slip_decay);
        theta += r.alpha * shock * (kPi * r.angle_ratio * pull[f] - theta);
        theta = std::clamp(theta, 0.0, 1.05 * kPi * r.angle_ratio);
        angles[f] = theta;
    }
    return angles;
}

TrackPlan make_plan(const PanelRecipe& r, int units_per_pixel) {
    if (r.points < 1 || r.points > kGeneratePointsMax || r.frames < 0)
        throw std::invalid_argument("make_plan: 1 to 1024 points and no fewer than 0 frames");
    if (units_per_pixel < 1 || (kWidth - 1) * units_per_pixel > static_cast<double>(kGenerateUnitsMax))
        throw std::invalid_argument("make_plan: units_per_pixel must be within 1..17");
    TrackPlan plan;
    plan.key = r.key;
    plan.stream = r.stream;
    plan.step_px = r.points > 1 ? static_cast<float>(r.length_px / (r.points - 1)) : 0;
    plan.x_max = static_cast<float>(kWidth - 1);
    plan.y_max = static_cast<float>(kHeight - 1);
    plan.units_per_pixel = static_cast<float>(units_per_pixel);
    plan.points = plan_points(r);
    const std::vector<double> angles = bend_angles(r);
    plan.frames.reserve(angles.size());
    for (std::size_t f = 0; f < angles.size(); ++f) {
        plan.frames.push_back(
            plan_frame(r, static_cast<int>(f), angles[f], angles.back(), plan.points.back()));
    }
    return plan;
}

}  // namespace nightshift::kernels
