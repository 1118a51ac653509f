#pragma once

#include "kernels/track_plan.h"

namespace nightshift::kernels {

/// What every implementation of the generator refuses, with std::invalid_argument: more points than
/// kGeneratePointsMax, a picture whose edge does not fit a track, and directions beyond what sincos_radians
/// is made for, where processors would differ.
void check_plan(const TrackPlan& plan);

}  // namespace nightshift::kernels
