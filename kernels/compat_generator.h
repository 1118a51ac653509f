#pragma once

#include <cstdint>

#include "kernels/compat_features.h"
#include "kernels/generator.h"
#include "kernels/panel_recipe.h"

namespace nightshift::kernels {

/// The public reference's constants of a scenario, in its order.
struct CompatConstants {
    double final_angle_ratio;   ///< final angle / pi
    double response_alpha;      ///< share of the remaining angle closed in a frame
    double damping;             ///< written to metadata, used by nothing
    double crack_gain, crack_centre, crack_width;   ///< bump of the bending weight, shares of the length
    double uv_delay, uv_snap;
    double skew;
    double shock, shock_decay;
    double vibration_hz, vibration_damping;
    int vibration_frames;
};
const CompatConstants& compat_constants(PanelClass panel);

inline constexpr int kCompatFramesMax = 100'000, kCompatPointsMax = 20'000;
inline constexpr int kCompatPictureMax = 32'768;   ///< width and height: coordinates are int16
inline constexpr double kCompatFpsMin = 0.1, kCompatFpsMax = 1e6;

/// What the reference's generator is given for one sequence; its defaults.
struct CompatConfig {
    PanelClass panel = PanelClass::kNormal;
    NoiseMode noise_mode = NoiseMode::kNone;
    int frames = 120, points = 230;
    double fps = 30;
    int width = 1920, height = 1080;
    double length_px = 230, thickness_um = 90, pixels_per_mm = 10;
    double noise_px = 0.8;
    std::uint64_t seed = 42;
};

/// Draws one sequence as the reference does: the same arithmetic in the same order, NumPy's PCG64.
/// in   frames, points, width, height >= 1 and not above the limits; fps in its range; length and pixels per
///      mm above 0; noise >= 0
/// out  whole pixels, [frames, points], and the metrics of each frame, not yet rounded
/// Sines, exponentials and the normals' tables are our own (below 1e-14 to NumPy's), so a coordinate differs
/// only where it lies that close to a half: none in any reference file. Any thread. Source: own
/// derivation from the reference's files; parity equal bytes.
FrameMetrics compat_tracks(const CompatConfig& config, TrackPlanes out);

}  // namespace nightshift::kernels
