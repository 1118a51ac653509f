#pragma once

#include "kernels/compat_features.h"
#include "kernels/feature_batch.h"

namespace nightshift::kernels {

/// What every implementation of the features refuses, with std::invalid_argument.
void check_fits(const TrackView& tracks, const FrameMetrics& metrics, Precision precision);
void check_fits(const FeatureInput& sequence, Precision precision);
/// Also what generate_tracks() refuses.
void check_fits(const DrawnFeatureInput& sequence, Precision precision);

/// The planes of a sequence that is drawn into them, or null ones.
TrackView view_of(const DrawnFeatureInput& sequence, TrackPlanes planes);

}  // namespace nightshift::kernels
