#pragma once

#include <span>
#include <vector>

#include "kernels/compat_features.h"
#include "kernels/track_view.h"

namespace nightshift::kernels {

/// How the reference weighs what makes up its crack risk; its defaults.
struct CompatRisk {
    double strain_cap = 0.03, concentration_cap = 8, angle_cap_deg = 180, impact_cap = 5000;  ///< px/s^2
    double strain_weight = .25, stress_weight = .20, concentration_weight = .20, angle_weight = .15,
           impact_weight = .20;
    double steepness = 8, centre = .45;
};

/// Crack risk of one point in one frame, 0 to 1. With weights and caps that are not negative it never falls
/// where one of the four values rises. strain: 1; concentration: 1; angle: degrees; acceleration: px/s^2.
double compat_risk(double strain, double concentration, double angle, double acceleration,
                   const CompatRisk& risk);

/// The public reference's table of every point in every frame where it is there: point by point, frames in
/// order within a point. Pixels and seconds. Differences are 0 at a point's first appearance and span gaps
/// with the same dt. Stress is strain (a modulus of 1), so it has no column of its own.
struct CompatVectors {
    std::vector<int> point, frame;   ///< positions in the tracks
    std::vector<double> x, y, dx, dy, vx, vy, speed, dvx, dvy, ax, ay, acceleration, curvature_like;
    std::vector<double> strain, impact, crack_risk;

    std::size_t rows() const { return point.size(); }
};

/// in   tracks; metrics [frames], or nullptr: then angle and strain count as 0, concentration as 1
/// Any thread. Source: own derivation from the reference's files; parity equal bits, but for crack_risk:
/// 1e-12 relative. Equal bits with every CPU variant.
CompatVectors compat_vectors(const TrackView& tracks, const FrameMetrics* metrics,
                             const CompatRisk& risk = {});
/// The same in place of what `out` holds: many sequences, one after another, need its memory once.
void compat_vectors(const TrackView& tracks, const FrameMetrics* metrics, const CompatRisk& risk,
                    CompatVectors& out);

/// Sum in NumPy's order (pairwise by blocks of 128, eight at a time), so that means have its last bit.
double pairwise_sum(std::span<const double> values);

}  // namespace nightshift::kernels
