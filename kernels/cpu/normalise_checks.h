#pragma once

#include "kernels/normalise.h"

namespace nightshift::kernels {

/// What normalise() throws for, the same on both devices.
void check_normalise(const TensorView<const std::uint8_t, 3>& in, const TensorView<float, 3>& out,
                     const PixelScale& scale);
void check_normalise(const TensorView<const float, 3>& in, const TensorView<float, 3>& out,
                     const PixelScale& scale);

}  // namespace nightshift::kernels
