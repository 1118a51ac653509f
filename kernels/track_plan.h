#pragma once

#include <cstdint>
#include <vector>

#include "kernels/panel_recipe.h"

namespace nightshift::kernels {

inline constexpr int kGeneratePointsMax = 1024;  ///< of a generated panel
/// The largest coordinate, a picture's edge in units, that a track can hold.
inline constexpr float kGenerateUnitsMax = 32767;

/// Per point: prefix sums of the bending weights, times ds / L, and the static edge waviness in px.
struct PlanPoint {
    float base, damage, fold, waviness;
};

/// Per frame: how far the panel is bent and how the camera sees it.
struct PlanFrame {
    float turn;                        ///< angle at the free end / sum of the weights
    float damage, fold;                ///< share of the two kinks that is there
    float m00, m01, m10, m11;          ///< camera: rotation, scale, anisotropy
    float origin_x, origin_y;          ///< px
    float noise_px;                    ///< standard deviation of a coordinate
    float outlier_ratio, outlier_px;   ///< share of points thrown off, by up to that
};

/// A recipe worked out to tables: what the point kernel reads. About 7 KB a sequence.
struct TrackPlan {
    std::uint64_t key = 0;
    std::uint32_t stream = 0;
    float step_px = 0;                 ///< distance of neighbouring points
    float x_max = 1919, y_max = 1079;  ///< tracks are clipped to the picture
    float units_per_pixel = 1;         ///< 1 = whole pixels, 16 = sub-pixel
    std::vector<PlanPoint> points;
    std::vector<PlanFrame> frames;
};

/// theta(t) in radians for a recipe, one value a frame (double, own exp: the same bits everywhere).
std::vector<double> bend_angles(const PanelRecipe& recipe);

/// Throws std::invalid_argument on points outside of 1..kGeneratePointsMax, frames below 0, and units with
/// which a picture's edge does not fit a track (1..17 do).
TrackPlan make_plan(const PanelRecipe& recipe, int units_per_pixel);

}  // namespace nightshift::kernels
