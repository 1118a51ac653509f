#pragma once

#include <array>
#include <cstdint>

#include "kernels/backend.h"
#include "kernels/philox.h"
#include "kernels/view.h"

namespace nightshift::kernels {

/// Most channels of an image.
inline constexpr std::int64_t kChannelsMax = 4;

/// What a level becomes: (level / full - mean[c]) / deviation[c].
struct PixelScale {
    float full = 255;
    std::array<float, kChannelsMax> mean{};
    std::array<float, kChannelsMax> deviation{1, 1, 1, 1};
};

/// Three operations in float, each rounded: the same bits everywhere, and those of torchvision's to-float
/// and normalise.
NIGHTSHIFT_HD inline float normalised(float level, float full, float mean, float deviation) {
    return (level / full - mean) / deviation;
}

/// Throws std::invalid_argument where full or the deviation of one of the channels is 0 or not finite, or a
/// mean is not finite; `what` comes first in the message.
void check_pixel_scale(const char* what, const PixelScale& scale, std::int64_t channels);

/// in  [h, w, c] u8, c 1..kChannelsMax   out [c, h, w] f32; any strides, in and out apart
/// Equal bits with every CPU variant and on the GPU. Any thread. Source: torchvision's normalize.
/// Throws std::invalid_argument on shapes that do not fit, DeviceError or OverBudget on the GPU.
void normalise_cpu(const TensorView<const std::uint8_t, 3>& in, const TensorView<float, 3>& out,
                   const PixelScale& scale);
void normalise_cuda(Backend& backend, const TensorView<const std::uint8_t, 3>& in,
                    const TensorView<float, 3>& out, const PixelScale& scale);
void normalise(Backend& backend, const TensorView<const std::uint8_t, 3>& in, const TensorView<float, 3>& out,
               const PixelScale& scale);

/// in, out [c, h, w] f32; out may be `in` itself. NaN and infinities go through the formula.
void normalise_cpu(const TensorView<const float, 3>& in, const TensorView<float, 3>& out,
                   const PixelScale& scale);
void normalise_cuda(Backend& backend, const TensorView<const float, 3>& in, const TensorView<float, 3>& out,
                    const PixelScale& scale);
void normalise(Backend& backend, const TensorView<const float, 3>& in, const TensorView<float, 3>& out,
               const PixelScale& scale);

}  // namespace nightshift::kernels
