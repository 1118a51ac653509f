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

/// How the points' motion is worked out; what follows from a frame's statistics is double in both.
/// fp64: parity with the reference, 1e-9 relative. fp32: base columns within 1e-5 of the fp64 ones, relative
/// to the frame's own mean and maximum, and changes to the largest value that changed (4,000 panels: 3e-7 and
/// 8e-7 of a column's largest); of what has no unit, 1e-5 as it is where a series varies by more than a tenth
/// of itself. What has no right answer in either may differ: the frequency of two equal powers, the shape of
/// a series that varies by less than a millionth, and the strain of a frame where nothing changes its speed:
/// with units that are no power of two fp64 rounds differences of places, and spreads the strain over that,
/// while fp32 has none. It needs fps / units_per_pixel within kFloatRateMin .. kFloatRateMax.
enum class Precision { fp64, fp32 };
inline constexpr double kFloatRateMin = 1e-6, kFloatRateMax = 1e6;

/// in   tracks of one sequence; metrics [frames], may be NaN, which stays in the columns that are made of it
/// out  rows and the global row
/// A point missing in a frame has no row there; its next difference spans the gap with the same dt, as in
/// the reference. A frame without points has zeros. Any thread. Throws std::invalid_argument on planes or
/// metrics shorter than points and frames ask for, and on fps and units that are not above 0. Source: own
/// derivation from the reference's files.
CompatFeatures compat_features(const TrackView& tracks, const FrameMetrics& metrics,
                               Precision precision = Precision::fp64);
/// The same into what is there: allocates nothing for a sequence of as many frames.
void compat_features(const TrackView& tracks, const FrameMetrics& metrics, Precision precision,
                     CompatFeatures& out);

/// Statistics of a plain series, as the reference has them (also used for its other tables).
struct SeriesStatistics {
    double skewness, kurtosis, lag1, lag2, dominant_frequency, spectral_power, spectral_entropy;
};
SeriesStatistics series_statistics(std::span<const double> series, double fps);

}  // namespace nightshift::kernels
