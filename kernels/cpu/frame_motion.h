#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu_variant.h"

namespace nightshift::kernels {

/// One frame whose points are all there. scale: pixels a unit.
struct FrameInput {
    const std::int16_t *x, *y;
    std::size_t points;
    double scale, fps;
};

/// Position (px) and velocity (px/s) of each point in the frame before; overwritten with this frame's.
struct PointMotion {
    double *x, *y, *vx, *vy;
};

/// Of each point: speed, size of the velocity's change (px/s), and that by speed.
struct FrameMotion {
    double *speed, *change, *curvature;
};

struct Moments {
    double mean = 0, max = 0, deviation = 0;  ///< deviation with n - 1; 0 for a single value
};

/// Moments of a frame's points: sizes of velocity and of its change in px/s, and the latter by the former.
struct FrameMoments {
    Moments curvature, change, speed;
    std::size_t points = 0;  ///< that are there
};

/// Compiled for one CPU variant; equal bits in all.
struct FrameLoops {
    void (*advance)(const FrameInput&, const PointMotion&, const FrameMotion&);
    void (*find_moments)(const double* values, std::size_t count, Moments& out);
};
FrameLoops frame_loops(CpuVariant variant);

}  // namespace nightshift::kernels
