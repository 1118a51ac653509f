#pragma once

#include <span>
#include <vector>

#include "kernels/backend.h"
#include "kernels/compat_features.h"
#include "kernels/generator.h"

namespace nightshift::kernels {

/// The reference's columns (compat_features.h) of many sequences, one after another.
struct FeatureBatch {
    std::vector<double> rows;    ///< [sum of frames, 75], row-major
    std::vector<double> global;  ///< [sequences, 6]
};

/// A sequence, not owned. metrics must be there.
struct FeatureInput {
    TrackView tracks;
    const FrameMetrics* metrics;
};

/// in   sequences of any sizes; with and without missing points
/// out  what compat_features() gives for each: on the CPU its bits, with any number of threads; on CUDA
///      fp64 within 1e-9 of a column's largest value, fp32 within what the CPU's is
/// All are looked at before the first is worked on: throws std::invalid_argument as compat_features() does.
/// The device's also throws DeviceError, OverBudget where rows and planes do not fit; only features leave it.
FeatureBatch feature_batch_cpu(std::span<const FeatureInput> sequences, Precision precision, int threads);
FeatureBatch feature_batch_cuda(Backend& backend, std::span<const FeatureInput> sequences,
                                Precision precision);
FeatureBatch feature_batch(Backend& backend, std::span<const FeatureInput> sequences, Precision precision);

/// A sequence to be drawn, not owned. plan and metrics must be there. tracks: where the drawn tracks go
/// besides, or null for both planes.
struct DrawnFeatureInput {
    const TrackPlan* plan;
    const FrameMetrics* metrics;
    double fps;
    TrackPlanes tracks{nullptr, nullptr};
};

/// Draws each plan and takes its features while its tracks are near: in a thread's own scratch, and on CUDA a
/// few frames at a time in a block's shared memory, never in the device's. The bits of generate_tracks() and
/// then feature_batch() on the same device; refuses what either does.
FeatureBatch generate_features_cpu(std::span<const DrawnFeatureInput> sequences, Precision precision,
                                   int threads);
FeatureBatch generate_features_cuda(Backend& backend, std::span<const DrawnFeatureInput> sequences,
                                    Precision precision);
FeatureBatch generate_features(Backend& backend, std::span<const DrawnFeatureInput> sequences,
                               Precision precision);

}  // namespace nightshift::kernels
