#include "kernels/compat_generator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "kernels/cpu/compat_frame.h"
#include "kernels/cpu/sincos_exact.h"
#include "kernels/exact_math.h"
#include "kernels/pcg64.h"

namespace nightshift::kernels {

namespace {

using std::numbers::pi;

constexpr double kOriginX = 0.42, kOriginY = 0.52;  ///< of the clamp, shares of the picture
constexpr double kWeightMin = 0.2, kDriveMax = 1.12, kAngleMax = 1.05;
constexpr int kSmoothing = 2;  ///< frames to each side of the drive's moving average

// In the order of PanelClass.
constexpr std::array<CompatConstants, kPanelClasses> kConstants{{
    {1.00, .12, .96, 0, .65, .05, 0, 0, 0, 0, 0, 0, 0, 0},
    {1.00, .12, .96, 0, .65, .05, 0, 0, 0, 0, 0, 0, 0, 0},
    {.95, .20, .95, 16, .72, .009, 0, 0, .05, 3.5, .15, 25, .92, 15},
    {.86, .14, .985, .7, .62, .04, .32, .22, .03, 1.5, .18, 20, .93, 12},
    {.97, .18, .96, 5, .70, .015, 0, 0, .02, 1.2, .25, 12, .95, 8},
    {.90, .16, .96, 1.9, .68, .03, 0, 0, .08, 1.2, .20, 15, .94, 10},
    {.72, .10, .975, 0, .65, .05, 0, 0, 0, 0, 0, 0, 0, 0},
}};

/// exp of any x <= 0; what a double cannot hold is 0.
double decay(double x) {
    return x < -700 ? 0 : exp_exact(x);
}

double smooth_step(double x) {
    x = std::clamp(x, 0.0, 1.0);
    return x * x * (3 - 2 * x);
}

/// Position i of n evenly spaced in 0..1.
double share(int i, int n) {
    if (n < 2) return 0;
    return i == n - 1 ? 1.0 : i * (1.0 / (n - 1));
}

std::vector<double> bending_weights(const CompatConstants& c, int points) {
    std::vector<double> weights;
    double sum = 0;
    for (int i = 0; i < points; ++i) {
        const double s = share(i, points), off = (s - c.crack_centre) / c.crack_width;
        double weight = 1 + c.skew * (2 * s - 1);
        if (c.crack_gain > 0) weight += c.crack_gain * decay(-0.5 * off * off);
        weights.push_back(std::max(weight, kWeightMin));
        sum += weights.back();
    }
    const double mean = sum / points;
    for (double& weight : weights) weight /= mean;
    return weights;
}

double raw_drive(const CompatConstants& c, double u) {
    if (c.uv_delay <= 0) return smooth_step(u);
    const double off = (u - 0.72) / 0.09;
    const double drive = smooth_step((u - c.uv_delay) / (1 - c.uv_delay)) + c.uv_snap * decay(-off * off);
    return std::clamp(drive, 0.0, kDriveMax);
}

std::vector<double> drive_of(const CompatConstants& c, int frames) {
    std::vector<double> raw, out;
    for (int f = 0; f < frames; ++f) raw.push_back(raw_drive(c, frames > 1 ? double(f) / (frames - 1) : 0));
    if (frames <= 2 * kSmoothing + 1) return raw;
    for (int f = 0; f < frames; ++f) {
        const int first = std::max(0, f - kSmoothing), last = std::min(frames - 1, f + kSmoothing);
        double sum = 0;
        for (int g = first; g <= last; ++g) sum += raw[static_cast<std::size_t>(g)];
        out.push_back(sum / (last - first + 1));
    }
    return out;
}

void add_mode(const CompatConfig& config, int frame_number, Pcg64& random, CompatFrame& frame) {
    switch (config.noise_mode) {
        case NoiseMode::kNone:
            break;
        case NoiseMode::kGaussian:
            frame.add_normal(0.5 * config.noise_px);
            break;
        case NoiseMode::kOutlier:
            frame.throw_off(0.01 + random.uniform(0, 0.03), 3);
            break;
        case NoiseMode::kDrift:
            frame.drift(0.8, 1 + 0.02 * frame_number);
            break;
        case NoiseMode::kScaleJitter:
            frame.scale(1 + random.uniform(-0.015, 0.015));
            break;
        case NoiseMode::kMixed:
            frame.add_normal(0.3 * config.noise_px);
            if (random.random() < 0.15) {
                std::vector<std::int64_t> places(static_cast<std::size_t>(std::max(1, frame.points() / 50)));
                for (std::int64_t& place : places)
                    place = random.bounded(static_cast<std::uint32_t>(frame.points() - 1));
                frame.displace(places, 2);
            }
            frame.drift(0.4, 1);
            break;
    }
}

void add_light(Pcg64& random, CompatFrame& frame) {
    const double strength = 1 + random.bounded(4) / 2.0;
    frame.drift(2 * strength, 1);
    frame.add_normal(0.8 + random.uniform(0, 1.2));
    frame.throw_off(0.01 + random.uniform(0, 0.04), 2.5);
}

double vibration(const CompatConstants& c, int since_event, double fps) {
    if (!(c.vibration_hz > 0) || since_event < 0 || since_event > c.vibration_frames) return 0;
    const double t = since_event / fps;
    return 0.5 * decay(-c.vibration_damping * t * c.vibration_hz) *
           sincos_exact(2 * pi * c.vibration_hz * t).sine;
}

}  // namespace

const CompatConstants& compat_constants(PanelClass panel) {
    return kConstants[static_cast<std::size_t>(panel)];
}

FrameMetrics compat_tracks(const CompatConfig& config, TrackPlanes out) {
    const CompatConstants& c = compat_constants(config.panel);
    const std::vector<double> weights = bending_weights(c, config.points), drive = drive_of(c, config.frames);
    const double concentration = *std::max_element(weights.begin(), weights.end());
    const double thickness_px = config.thickness_um / 1000 * config.pixels_per_mm;
    const double final_angle = pi * c.final_angle_ratio;
    const int event = c.crack_gain > 0 ? static_cast<int>(c.crack_centre * (config.frames - 1)) : -1;
    Pcg64 random(config.seed);
    CompatFrame frame(random, config.points);
    BentPanel panel{
        weights.data(), weights.size(), config.length_px / std::max(1, config.points - 1), 0, 0, 0};
    FrameMetrics metrics;
    double theta = 0;
    for (int f = 0; f < config.frames; ++f) {
        const double shock =
            f >= event && c.shock > 0 ? 1 + c.shock * decay(-c.shock_decay * (f - event)) : 1.0;
        theta += c.response_alpha * shock * (final_angle * drive[static_cast<std::size_t>(f)] - theta);
        theta = std::clamp(theta, 0.0, kAngleMax * final_angle);
        panel.curvature = theta / config.length_px;
        panel.origin_x = kOriginX * config.width + 2 * sincos_exact(2 * pi * 0.2 * (f / config.fps)).sine;
        panel.origin_y = kOriginY * config.height + (event >= 0 ? vibration(c, f - event, config.fps) : 0);
        frame.begin(panel);
        frame.add_normal(config.noise_px);
        add_mode(config, f, random, frame);
        if (config.panel == PanelClass::kLightDistortion) add_light(random, frame);
        const std::size_t row = static_cast<std::size_t>(f) * weights.size();
        frame.find_pixels(config.width, config.height, out.x + row, out.y + row);
        metrics.bend_angle_deg.push_back(theta * (180 / pi));
        metrics.curvature_concentration.push_back(concentration);
        metrics.est_max_strain.push_back(0.5 * thickness_px * theta / config.length_px * concentration);
    }
    return metrics;
}

}  // namespace nightshift::kernels
