#include "kernels/compat_vectors.h"

#include <algorithm>
#include <cmath>

namespace nightshift::kernels {

namespace {

constexpr double kSpeedFloor = 1e-6;  ///< the reference's, px/s

/// Differences of a point's rows: first .. the end so far.
void add_rows(const TrackView& t, int point, CompatVectors& out) {
    const double dt = 1 / t.fps;
    bool is_first = true;
    for (int f = 0; f < t.frames; ++f) {
        const std::size_t at = t.at(f, point);
        if (!t.present.empty() && t.present[at] == 0) continue;
        const double x = t.x[at] / t.units_per_pixel, y = t.y[at] / t.units_per_pixel;
        const double dx = is_first ? 0 : x - out.x.back(), dy = is_first ? 0 : y - out.y.back();
        const double vx = dx / dt, vy = dy / dt;
        const double dvx = is_first ? 0 : vx - out.vx.back(), dvy = is_first ? 0 : vy - out.vy.back();
        is_first = false;
        out.point.push_back(point);
        out.frame.push_back(f);
        out.x.push_back(x);
        out.y.push_back(y);
        out.dx.push_back(dx);
        out.dy.push_back(dy);
        out.vx.push_back(vx);
        out.vy.push_back(vy);
        out.speed.push_back(std::hypot(vx, vy));
        out.dvx.push_back(dvx);
        out.dvy.push_back(dvy);
        out.ax.push_back(dvx / dt);
        out.ay.push_back(dvy / dt);
        out.acceleration.push_back(std::hypot(dvx / dt, dvy / dt));
        out.curvature_like.push_back(std::hypot(dvx, dvy) / (out.speed.back() + kSpeedFloor));
        out.impact.push_back(out.acceleration.back() * dt);
    }
}

}  // namespace

double compat_risk(double strain, double concentration, double angle, double acceleration,
                   const CompatRisk& r) {
    const double weights =
        r.strain_weight + r.stress_weight + r.concentration_weight + r.angle_weight + r.impact_weight;
    const auto part = [](double weight, double value, double cap) {
        return weight * std::min(1.0, value / cap);
    };
    const double z =
        (part(r.strain_weight, strain, r.strain_cap) + part(r.stress_weight, strain, r.strain_cap) +
         part(r.concentration_weight, concentration, r.concentration_cap) +
         part(r.angle_weight, angle, r.angle_cap_deg) + part(r.impact_weight, acceleration, r.impact_cap)) /
        weights;
    return 1 / (1 + std::exp(-r.steepness * (z - r.centre)));
}

CompatVectors compat_vectors(const TrackView& tracks, const FrameMetrics* metrics, const CompatRisk& risk) {
    CompatVectors out;
    for (int p = 0; p < tracks.points; ++p) add_rows(tracks, p, out);
    std::vector<double> largest(static_cast<std::size_t>(tracks.frames));
    for (std::size_t i = 0; i < out.rows(); ++i) {
        double& value = largest[static_cast<std::size_t>(out.frame[i])];
        value = std::max(value, out.curvature_like[i]);
    }
    for (std::size_t i = 0; i < out.rows(); ++i) {
        const auto f = static_cast<std::size_t>(out.frame[i]);
        const double bound = metrics == nullptr ? 0 : std::max(metrics->est_max_strain[f], 0.0);
        out.strain.push_back(largest[f] > 0 ? out.curvature_like[i] / largest[f] * bound : 0);
        out.crack_risk.push_back(
            compat_risk(out.strain.back(), metrics == nullptr ? 1 : metrics->curvature_concentration[f],
                        metrics == nullptr ? 0 : metrics->bend_angle_deg[f], out.acceleration[i], risk));
    }
    return out;
}

double pairwise_sum(std::span<const double> values) {
    constexpr std::size_t kLanes = 8, kBlock = 128;
    const std::size_t n = values.size();
    if (n < kLanes) {
        double sum = 0;
        for (const double value : values) sum += value;
        return sum;
    }
    if (n > kBlock) {
        const std::size_t half = n / 2 / kLanes * kLanes;
        return pairwise_sum(values.first(half)) + pairwise_sum(values.subspan(half));
    }
    double lanes[kLanes];
    std::copy_n(values.begin(), kLanes, lanes);
    std::size_t i = kLanes;
    for (; i + kLanes <= n; i += kLanes) {
        for (std::size_t k = 0; k < kLanes; ++k) lanes[k] += values[i + k];
    }
    double sum =
        ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
    for (; i < n; ++i) sum += values[i];
    return sum;
}

}  // namespace nightshift::kernels
