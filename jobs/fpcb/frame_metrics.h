#pragma once

#include "jobs/fpcb/dataset.h"
#include "kernels/compat_features.h"
#include "kernels/track_view.h"

namespace nightshift::jobs {

/// The generator's metrics of an imported sequence, one entry a frame, from its frame_metrics.csv. Throws
/// JobError("no_frame_metrics") where it has none, "bad_bundle" where a frame or a column is missing.
kernels::FrameMetrics frame_metrics_of(const Sequence& sequence);

bool has_frame_metrics(const Sequence& sequence);

/// The tracks as the kernels see them; valid as long as the sequence.
kernels::TrackView view_of(const Sequence& sequence);

}  // namespace nightshift::jobs
