#include <numeric>

#include "kernels/cpu/each_variant.h"
#include "kernels/cpu/nms_candidates.h"

namespace nightshift::kernels {

namespace {

/// Boxes kept so far, those of a group beside each other.
struct KeptBoxes {
    const float *x1, *y1, *x2, *y2, *area;
};

#define NIGHTSHIFT_BODY "kernels/cpu/nms.inc"
#include "kernels/cpu/each_variant.inc"

/// What is read beyond the last box.
constexpr std::size_t kSlack = 16;

}  // namespace

std::vector<std::int64_t> nms_cpu(const TensorView<const float, 2>& boxes,
                                  const TensorView<const float, 1>& scores,
                                  const TensorView<const std::int32_t, 1>& classes, const NmsParams& params) {
    const NmsCandidates candidates = nms_candidates(boxes, scores, classes, params);
    const auto is_overlapped = NIGHTSHIFT_VARIANT_OF(is_overlapped, cpu_variant());
    const std::size_t room = candidates.boxes.size() + kSlack;
    std::vector<float> sides(5 * room);
    float* const x1 = sides.data();
    float *const y1 = x1 + room, *const x2 = y1 + room, *const y2 = x2 + room, *const area = y2 + room;
    const KeptBoxes kept_boxes{x1, y1, x2, y2, area};
    std::vector<std::size_t> first(candidates.members.size()), last;
    std::exclusive_scan(candidates.members.begin(), candidates.members.end(), first.begin(), std::size_t{0});
    last = first;
    std::vector<std::int64_t> kept;
    for (std::size_t i = 0; i < candidates.boxes.size(); ++i) {
        if (static_cast<std::int64_t>(kept.size()) == params.output_max) break;
        const NmsBox& box = candidates.boxes[i];
        const std::uint32_t group = candidates.groups[i];
        if (is_overlapped(kept_boxes, first[group], last[group], box, candidates.iou_threshold)) continue;
        const std::size_t at = last[group]++;
        x1[at] = box.x1;
        y1[at] = box.y1;
        x2[at] = box.x2;
        y2[at] = box.y2;
        area[at] = box.area;
        kept.push_back(candidates.indices[i]);
    }
    return kept;
}

}  // namespace nightshift::kernels
