#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nightshift::kernels {

/// Tracks of one sequence, not owned. Planes are frame-major, [frames, points]; present is empty (all
/// there) or 0/1 like x. Coordinates in pixels are value / units_per_pixel.
struct TrackView {
    std::span<const std::int16_t> x, y;
    std::span<const std::uint8_t> present;
    int points = 0, frames = 0;
    double units_per_pixel = 1;
    double fps = 30;

    std::size_t at(int frame, int point) const {
        return static_cast<std::size_t>(frame) * static_cast<std::size_t>(points) +
               static_cast<std::size_t>(point);
    }
};

}  // namespace nightshift::kernels
