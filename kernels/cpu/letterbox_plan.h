#pragma once

#include <cstdint>
#include <vector>

#include "kernels/letterbox.h"

namespace nightshift::kernels {

/// Between which two entries of an axis each place of the resized one lies, and its share of the second.
struct AxisTaps {
    std::vector<std::int32_t> low, high;
    std::vector<float> weight;
};

/// What both devices read, worked out once on the host.
struct LetterboxPlan {
    LetterboxPlace place;
    std::int64_t channels = 0, out_height = 0, out_width = 0;
    AxisTaps columns, rows;
    bool swaps_red_blue = false;

    /// The in channel of an out channel.
    std::int64_t source(std::int64_t channel) const {
        return swaps_red_blue && channel != 1 && channel < 3 ? 2 - channel : channel;
    }
};

/// Checks all that letterbox() takes and plans it. Throws std::invalid_argument.
LetterboxPlan letterbox_plan(const TensorView<const std::uint8_t, 3>& in, const TensorView<float, 3>& out,
                             const LetterboxParams& params);

}  // namespace nightshift::kernels
