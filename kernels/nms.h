#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/backend.h"
#include "kernels/philox.h"
#include "kernels/view.h"

namespace nightshift::kernels {

/// Most boxes of one call.
inline constexpr std::int64_t kBoxesMax = std::int64_t{1} << 20;

struct NmsParams {
    double iou_threshold = .45;  ///< 0..1; a box is suppressed where its overlap is greater
    float score_threshold = -std::numeric_limits<float>::infinity();  ///< scores have to be greater
    std::int64_t output_max = kBoxesMax;  ///< of the boxes kept, those with the highest scores
    bool is_class_aware = true;           ///< boxes suppress only those of their own class
};

/// x1 y1 x2 y2 and (x2 - x1) * (y2 - y1).
struct NmsBox {
    float x1, y1, x2, y2, area;
};

/// Intersection over union in float, each operation rounded, is greater than the threshold. The same both
/// ways round.
NIGHTSHIFT_HD inline bool overlaps(const NmsBox& a, const NmsBox& b, float iou_threshold) {
    const float width = (a.x2 < b.x2 ? a.x2 : b.x2) - (a.x1 > b.x1 ? a.x1 : b.x1);
    const float height = (a.y2 < b.y2 ? a.y2 : b.y2) - (a.y1 > b.y1 ? a.y1 : b.y1);
    if (!(width > 0) || !(height > 0)) return false;
    const float both = width * height;
    return both / (a.area + b.area - both) > iou_threshold;
}

/// Non-maximum suppression: from the highest score down (equal scores: the lowest index first), a box is kept
/// unless one that was kept before overlaps it by more than the threshold. Gives the indices kept, in that
/// order.
/// boxes [n, 4] x1 y1 x2 y2, scores [n], classes [n] (any numbers; may be empty where not class-aware), of
/// any strides, n <= kBoxesMax. Score NaN: takes no part. A box whose sides are not both above 0, or that has
/// a NaN or infinite corner or area, neither suppresses nor is suppressed.
/// The indices are those of torchvision.ops.nms (which takes a score that is NaN for the highest, though),
/// and of its batched_nms where that goes through classes one by one instead of moving boxes apart. Equal
/// with every CPU variant and on the GPU. Any thread. Throws std::invalid_argument on shapes or parameters
/// that do not fit, DeviceError or OverBudget on the GPU.
std::vector<std::int64_t> nms_cpu(const TensorView<const float, 2>& boxes,
                                  const TensorView<const float, 1>& scores,
                                  const TensorView<const std::int32_t, 1>& classes, const NmsParams& params);
std::vector<std::int64_t> nms_cuda(Backend& backend, const TensorView<const float, 2>& boxes,
                                   const TensorView<const float, 1>& scores,
                                   const TensorView<const std::int32_t, 1>& classes, const NmsParams& params);
std::vector<std::int64_t> nms(Backend& backend, const TensorView<const float, 2>& boxes,
                              const TensorView<const float, 1>& scores,
                              const TensorView<const std::int32_t, 1>& classes, const NmsParams& params);

}  // namespace nightshift::kernels
