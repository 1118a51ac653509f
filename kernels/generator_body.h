#pragma once

#include <cstdint>

#include "kernels/exact_math.h"
#include "kernels/track_plan.h"

/// The arithmetic of one point, shared word for word by the CPU and the CUDA generator.
namespace nightshift::kernels {

/// Third counter word of the generator's draws.
enum DrawKind : std::uint32_t {
    kDrawNoise = 0,
    kDrawOutlier = 1,
    kDrawRecipe = 2,
    kDrawFrame = 3,
    kDrawPoint = 4
};

NIGHTSHIFT_HD inline SinCos point_direction(const PlanPoint& point, const PlanFrame& frame) {
    const float weight = std::fma(frame.fold, point.fold, std::fma(frame.damage, point.damage, point.base));
    return sincos_radians(frame.turn * weight);
}

struct PointXY {
    float x, y;
};

/// Camera view of a panel point: along_x, along_y = sums of the directions up to it.
NIGHTSHIFT_HD inline PointXY seen_point(const PlanPoint& point, const PlanFrame& frame, float step_px,
                                        SinCos direction, float along_x, float along_y) {
    const float x = std::fma(-point.waviness, direction.sine, step_px * along_x);
    const float y = std::fma(point.waviness, direction.cosine, step_px * along_y);
    return {std::fma(frame.m01, y, std::fma(frame.m00, x, frame.origin_x)),
            std::fma(frame.m11, y, std::fma(frame.m10, x, frame.origin_y))};
}

/// Added in frames with outliers: one Philox block a point.
NIGHTSHIFT_HD inline PointXY outlier_offset(const PlanFrame& frame, PhiloxWords words) {
    if (unit_float(words.w0) >= frame.outlier_ratio) return {0.0f, 0.0f};
    return {frame.outlier_px * std::fma(2.0f, unit_float(words.w1), -1.0f),
            frame.outlier_px * std::fma(2.0f, unit_float(words.w2), -1.0f)};
}

/// What is no number is 0.
NIGHTSHIFT_HD inline std::int16_t stored(float value_px, float max_px, float units) {
    const float low = value_px > 0.0f ? value_px : 0.0f;
    const float clipped = low > max_px ? max_px : low;
    return static_cast<std::int16_t>(round_even(clipped * units));
}

}  // namespace nightshift::kernels
