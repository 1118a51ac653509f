#pragma once

#include "kernels/compat_features.h"

namespace nightshift::kernels {

/// compat_features() of a sequence that check_fits() has let through: [frames, 75] and [6].
void write_columns(const TrackView& tracks, const FrameMetrics& metrics, Precision precision, double* rows,
                   double* global);

}  // namespace nightshift::kernels
