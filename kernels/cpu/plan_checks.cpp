#include "kernels/cpu/plan_checks.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "kernels/exact_math.h"

namespace nightshift::kernels {

namespace {

void require(bool is_met, const std::string& what) {
    if (!is_met) throw std::invalid_argument("generate_tracks: " + what);
}

bool is_edge(float edge_px, float units) {
    return edge_px >= 0 && edge_px * units <= kGenerateUnitsMax;
}

/// Largest size of one of the values; NaN or infinite where one is.
struct Largest {
    float value = 0;
    void add(float next) {
        const float size = std::abs(next);
        if (!(size <= value)) value = std::isnan(value) ? value : size;
    }
};

}  // namespace

void check_plan(const TrackPlan& plan) {
    require(plan.points.size() <= static_cast<std::size_t>(kGeneratePointsMax),
            "at most " + std::to_string(kGeneratePointsMax) + " points a panel, not " +
                std::to_string(plan.points.size()));
    require(plan.units_per_pixel > 0 && is_edge(plan.x_max, plan.units_per_pixel) &&
                is_edge(plan.y_max, plan.units_per_pixel),
            "the picture's edges in units must be within 0..32767: take fewer units_per_pixel");
    Largest base, damage, fold;
    for (const PlanPoint& point : plan.points) {
        base.add(point.base);
        damage.add(point.damage);
        fold.add(point.fold);
    }
    bool is_met = true;
    for (const PlanFrame& frame : plan.frames) {
        const float weight =
            base.value + std::abs(frame.damage) * damage.value + std::abs(frame.fold) * fold.value;
        is_met = is_met && std::abs(frame.turn) * weight <= kSincosRadiansMax;
    }
    require(is_met || plan.points.empty(), "a panel bends by more than " +
                                               std::to_string(static_cast<int>(kSincosRadiansMax)) +
                                               " rad or by what is no number");
}

}  // namespace nightshift::kernels
