#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/cpu/frame_motion.h"
#include "kernels/track_view.h"

namespace nightshift::kernels {

/// Points of a frame with where each was when it was last seen, and the time before that; where there was no
/// such time, the same place again. `count` values each.
struct FloatRows {
    const std::int16_t *x, *x_last, *x_before, *y, *y_last, *y_before;
    std::size_t count;
};

/// Room for `count` values each, rounded up to kFloatSums.
struct FloatValues {
    float *speed, *change, *curvature;
};

/// In units of the tracks per frame; curvature is change / (speed * slope + 1).
struct FloatMoments {
    Moments curvature, change, speed;
};

/// Numbers that are added beside each other.
inline constexpr std::size_t kFloatSums = 16;

/// Compiled for one CPU variant; equal bits in all.
using FindFloatMoments = void (*)(const FloatRows&, float slope, const FloatValues&, FloatMoments&);
FindFloatMoments find_float_moments(CpuVariant variant);

/// The frames of a sequence one after another, with single-precision points. Differences of the tracks are
/// whole numbers and exact in float, so a point that rests has speed 0 and one that moves has its length to
/// 2 ulp; curvature, which divides by nearly nothing where a point rests, to 4. At most 64 numbers are added
/// in float before they go to a double: a mean is within 5e-6 of itself, a maximum within 3e-7, a deviation
/// within 5e-6 of itself and 5e-7 of the mean.
class FloatMotion {
  public:
    /// The view must outlive it. fps / units_per_pixel must be within kFloatRateMin .. kFloatRateMax.
    explicit FloatMotion(const TrackView& tracks);
    /// Frames in order, from 0.
    void advance(int frame, FrameMoments& out);

  private:
    FloatRows all_rows(int frame) const;
    FloatRows rows_there(int frame);

    const TrackView& tracks_;
    FindFloatMoments find_;
    double rate_;
    std::vector<float> values_;
    FloatValues at_{};
    /// Only where points may be missing: last two places of each, and the compacted rows.
    std::vector<std::int16_t> last_x_, last_y_, before_x_, before_y_, there_;
    std::vector<std::uint8_t> seen_;
};

}  // namespace nightshift::kernels
