#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "kernels/compat_features.h"
#include "kernels/track_view.h"

namespace nightshift::tests {

/// A line of points that turns and trembles, with the metrics that its generator would tell.
struct RandomTracks {
    std::vector<std::int16_t> x, y;
    std::vector<std::uint8_t> present;
    kernels::FrameMetrics metrics;
    int points, frames;

    /// missing: share of points that are not there in a frame; 0: the plane is empty.
    RandomTracks(int points_, int frames_, double missing, std::uint64_t seed)
        : points(points_), frames(frames_) {
        std::mt19937_64 generator(seed);
        std::normal_distribution<double> tremble(0, 1.5);
        std::bernoulli_distribution is_missing(missing);
        for (int f = 0; f < frames; ++f) {
            const double angle = .05 * f;
            for (int p = 0; p < points; ++p) {
                x.push_back(static_cast<std::int16_t>(800 + p * std::cos(angle) + tremble(generator)));
                y.push_back(static_cast<std::int16_t>(500 + p * std::sin(angle) + tremble(generator)));
                if (missing > 0) present.push_back(is_missing(generator) ? 0 : 1);
            }
            metrics.bend_angle_deg.push_back(angle * 57);
            metrics.curvature_concentration.push_back(1 + .2 * f);
            metrics.est_max_strain.push_back(.001 * f - .002);
        }
    }

    kernels::TrackView view(double fps = 30, double units = 1) const {
        return {x, y, present, points, frames, units, fps};
    }
};

}  // namespace nightshift::tests
