#include "kernels/normalise.h"

#include <cmath>

#include "kernels/cpu/each_variant.h"
#include "kernels/cpu/normalise_checks.h"

namespace nightshift::kernels {

namespace {

#define NIGHTSHIFT_BODY "kernels/cpu/normalise.inc"
#include "kernels/cpu/each_variant.inc"

void check_shapes(const std::array<std::int64_t, 3>& in, const TensorView<float, 3>& out,
                  const PixelScale& scale) {
    check_target("normalise: output", out);
    if (in[0] < 1 || in[0] > kChannelsMax)
        throw std::invalid_argument("normalise: " + std::to_string(in[0]) + " channels; 1 to " +
                                    std::to_string(kChannelsMax) + " are possible");
    if (in != out.shape)
        throw std::invalid_argument("normalise: the output has to be [channels, height, width] of the input");
    check_pixel_scale("normalise", scale, in[0]);
}

}  // namespace

void check_pixel_scale(const char* what, const PixelScale& scale, std::int64_t channels) {
    bool is_usable = std::isfinite(scale.full) && scale.full != 0;
    for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
        is_usable = is_usable && std::isfinite(scale.mean[c]) && std::isfinite(scale.deviation[c]) &&
                    scale.deviation[c] != 0;
    }
    if (!is_usable)
        throw std::invalid_argument(std::string(what) +
                                    ": full scale, means and deviations have to be finite, and those that "
                                    "are divided by not 0");
}

void check_normalise(const TensorView<const std::uint8_t, 3>& in, const TensorView<float, 3>& out,
                     const PixelScale& scale) {
    check_view("normalise: input", in);
    check_shapes({in.shape[2], in.shape[0], in.shape[1]}, out, scale);
}

void check_normalise(const TensorView<const float, 3>& in, const TensorView<float, 3>& out,
                     const PixelScale& scale) {
    check_view("normalise: input", in);
    check_shapes(in.shape, out, scale);
}

void normalise_cpu(const TensorView<const std::uint8_t, 3>& in, const TensorView<float, 3>& out,
                   const PixelScale& scale) {
    check_normalise(in, out, scale);
    if (element_count(out) == 0) return;
    for (std::int64_t c = 0; c < out.shape[0]; ++c) {
        const auto channel = static_cast<std::size_t>(c);
        float of_level[256];
        for (int level = 0; level < 256; ++level)
            of_level[level] = normalised(static_cast<float>(level), scale.full, scale.mean[channel],
                                         scale.deviation[channel]);
        const TensorView<const std::uint8_t, 2> plane = picked(in, 2, c);
        for (std::int64_t y = 0; y < plane.shape[0]; ++y) {
            const std::uint8_t* from = plane.data + y * plane.strides[0];
            float* to = out.data + c * out.strides[0] + y * out.strides[1];
            for (std::int64_t x = 0; x < plane.shape[1]; ++x)
                to[x * out.strides[2]] = of_level[from[x * plane.strides[1]]];
        }
    }
}

void normalise_cpu(const TensorView<const float, 3>& in, const TensorView<float, 3>& out,
                   const PixelScale& scale) {
    check_normalise(in, out, scale);
    if (element_count(out) == 0) return;
    const auto normalise_row = NIGHTSHIFT_VARIANT_OF(normalise_row, cpu_variant());
    const bool has_rows = in.strides[2] == 1 && out.strides[2] == 1;
    for (std::int64_t c = 0; c < out.shape[0]; ++c) {
        const auto channel = static_cast<std::size_t>(c);
        const float mean = scale.mean[channel], deviation = scale.deviation[channel];
        for (std::int64_t y = 0; y < out.shape[1]; ++y) {
            const float* from = in.data + c * in.strides[0] + y * in.strides[1];
            float* to = out.data + c * out.strides[0] + y * out.strides[1];
            if (has_rows) {
                normalise_row(from, scale.full, mean, deviation, out.shape[2], to);
                continue;
            }
            for (std::int64_t x = 0; x < out.shape[2]; ++x)
                to[x * out.strides[2]] = normalised(from[x * in.strides[2]], scale.full, mean, deviation);
        }
    }
}

}  // namespace nightshift::kernels
