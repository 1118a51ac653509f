#pragma once

#include <array>
#include <cstdint>

#include "kernels/backend.h"
#include "kernels/normalise.h"
#include "kernels/view.h"

namespace nightshift::kernels {

/// Largest side of an image that is taken or made.
inline constexpr std::int64_t kImageSideMax = 65'536;

struct LetterboxParams {
    std::uint8_t pad = 114;       ///< level of the border, before it is normalised
    bool enlarges = true;         ///< false: a smaller image keeps its size and gets a wider border
    bool swaps_red_blue = false;  ///< out channels 0 and 2 come from in channels 2 and 0
    PixelScale pixels;            ///< of the out channels
};

/// Where the image lies in the output: a point p of the input is at p * scale + (left, top).
struct LetterboxPlace {
    double scale = 1;
    std::int64_t width = 0, height = 0;  ///< of the resized image
    std::int64_t left = 0, top = 0;      ///< of its first pixel
    std::int64_t in_width = 0, in_height = 0;
};

/// in sizes and out sizes >= 1 and <= kImageSideMax, or std::invalid_argument. scale = min(out_height /
/// in_height, out_width / in_width), sizes rounded half to even (at least 1), the border split with
/// round(rest / 2 - .1) first. Source: Ultralytics' LetterBox, in double like it.
LetterboxPlace letterbox_place(std::int64_t in_height, std::int64_t in_width, std::int64_t out_height,
                               std::int64_t out_width, bool enlarges);

/// Keeps the aspect: resizes into the middle of the output and pads the rest.
/// in  [h, w, c] u8, c 1..kChannelsMax, of any strides   out [c, H, W] f32, any strides, apart from `in`
///
/// Bilinear with half-pixel centres, as OpenCV's INTER_LINEAR: within 2e-5 levels of its float images, and of
/// one level of its byte images, which it rounds to whole ones (measured with OpenCV 5.0). Output
/// column x looks at (x + .5) * (w / width) - .5, clamped to the image, in double; its part above the whole
/// is a float weight. Then in float, every operation rounded, none fused: along both rows a + weight_x *
/// (b - a), of these top + weight_y * (bottom - top), then normalise.h's formula.
/// Equal bits with every CPU variant and on the GPU. Any thread.
/// Throws std::invalid_argument on shapes that do not fit, DeviceError or OverBudget on the GPU.
LetterboxPlace letterbox_cpu(const TensorView<const std::uint8_t, 3>& in, const TensorView<float, 3>& out,
                             const LetterboxParams& params);
LetterboxPlace letterbox_cuda(Backend& backend, const TensorView<const std::uint8_t, 3>& in,
                              const TensorView<float, 3>& out, const LetterboxParams& params);
LetterboxPlace letterbox(Backend& backend, const TensorView<const std::uint8_t, 3>& in,
                         const TensorView<float, 3>& out, const LetterboxParams& params);

/// Boxes [n, 4] x1 y1 x2 y2 of the output, in place, to the input's pixels: (p - left) / scale in double,
/// clamped to the input; NaN stays. Source: Ultralytics' scale_boxes. One scale serves both axes, so a
/// corner is off by up to half an output pixel where the resized size was rounded.
void unletterbox(const TensorView<float, 2>& boxes, const LetterboxPlace& place);

}  // namespace nightshift::kernels
