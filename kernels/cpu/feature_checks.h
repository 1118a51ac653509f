#pragma once

#include "kernels/compat_features.h"

namespace nightshift::kernels {

/// What every implementation of the features refuses, with std::invalid_argument.
void check_fits(const TrackView& tracks, const FrameMetrics& metrics, Precision precision);

}  // namespace nightshift::kernels
