#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cpu_variant.h"
#include "kernels/pcg64.h"

namespace nightshift::kernels {

/// A panel at rest, clamped at its first point, which lies in the origin; points >= 1.
struct BentPanel {
    const double* weights;  ///< [points], how much of the curvature each point has
    std::size_t points;
    double step;       ///< px between points
    double curvature;  ///< rad / px
    double origin_x, origin_y;
};

/// Inner loops of a frame; every variant gives equal bits.
struct CompatFrameLoops {
    /// The panel's points, px; angles [points] is room.
    void (*bend)(const BentPanel& panel, double* angles, double* x, double* y);
    void (*add_noise)(double deviation, const double* normals, std::size_t points, double* x, double* y);
    void (*find_pixels)(const double* from, std::size_t points, double last, std::int16_t* to);
};
CompatFrameLoops compat_frame_loops(CpuVariant variant);

/// The points of one frame of the reference's generator while its noise is added, px. Draws come in the
/// reference's order: x before y, point after point. One thread.
class CompatFrame {
  public:
    /// `random` must outlive it; points >= 1.
    CompatFrame(Pcg64& random, int points);

    int points() const { return static_cast<int>(x_.size()); }

    /// Begins a frame with a panel of as many points.
    void begin(const BentPanel& panel);
    void move(double dx, double dy);
    void add_normal(double deviation);
    /// Moves every point by one draw, times a factor.
    void drift(double reach, double factor);
    /// Throws off a drawn share of the points, each once.
    void throw_off(double ratio, double reach);
    /// Of a place drawn twice only the last displacement stays.
    void displace(std::span<const std::int64_t> places, double reach);
    /// About the points' mean.
    void scale(double factor);
    /// Whole pixels of a picture [height, width]; x, y [points].
    void find_pixels(int width, int height, std::int16_t* x, std::int16_t* y) const;

  private:
    CompatFrameLoops loops_;
    Pcg64& random_;
    std::vector<double> x_, y_;
    std::vector<double> room_;  ///< [points, 2]: angles, normals, what was before
};

}  // namespace nightshift::kernels
