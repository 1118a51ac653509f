#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "kernels/track_view.h"

namespace nightshift::kernels {

/// The public reference's per-frame feature table, its columns, order, quirks and all (its curvature is
/// a velocity change divided by speed + 1e-6; frame 1 carries an invented acceleration). Three of its
/// columns are latent variables of the generator: for parity tests and comparison, not for honest results.
inline constexpr int kCompatBaseColumns = 21;
inline constexpr int kCompatColumns = 75;
inline constexpr int kCompatGlobalColumns = 6;

/// [75] names; the first 21 are the base set.
const std::vector<std::string>& compat_columns();
/// [6] names of the extra row per sequence that the 81-column set has.
const std::vector<std::string>& compat_global_columns();

/// Generator metrics of each frame, [frames] each, as frame_metrics.csv has them.
struct FrameMetrics {
    std::vector<double> bend_angle_deg, curvature_concentration, est_max_strain;
};

struct CompatFeatures {
    std::vector<double> rows;  ///< [frames, 75], row-major
    std::array<double, kCompatGlobalColumns>
        global{};  ///< n_frames, n_points, mean/max strain, mean/max acceleration
};

/// in   tracks of one sequence; metrics [frames]
/// out  rows and the global row, double throughout
/// A point missing in a frame has no row there; its next difference spans the gap with the same dt, as in
/// the reference. Any thread. Source: own derivation from the reference's files; parity 1e-9 relative.
CompatFeatures compat_features(const TrackView& tracks, const FrameMetrics& metrics);

/// Statistics of a plain series, as the reference has them (also used for its other tables).
struct SeriesStatistics {
    double skewness, kurtosis, lag1, lag2, dominant_frequency, spectral_power, spectral_entropy;
};
SeriesStatistics series_statistics(std::span<const double> series, double fps);

}  // namespace nightshift::kernels
