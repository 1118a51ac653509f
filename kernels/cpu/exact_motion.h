#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/frame_motion.h"
#include "kernels/track_view.h"

namespace nightshift::kernels {

/// The frames of a sequence one after another, in double throughout.
class ExactMotion {
  public:
    /// The view must outlive it.
    explicit ExactMotion(const TrackView& tracks);
    /// Frames in order, from 0.
    void advance(int frame, FrameMoments& out);

  private:
    std::size_t advance_all(int frame);
    std::size_t advance_some(int frame);

    const TrackView& tracks_;
    FrameLoops loops_;
    std::vector<double> numbers_;
    std::vector<std::uint8_t> seen_;
    PointMotion before_{};
    FrameMotion now_{};
};

}  // namespace nightshift::kernels
