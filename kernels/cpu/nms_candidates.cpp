#include "kernels/cpu/nms_candidates.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/key_sort.h"
#include "kernels/order_key.h"

namespace nightshift::kernels {

namespace {

/// Classes within such a range are numbered through a table.
constexpr std::int64_t kTableMax = 1 << 16;

void check(const TensorView<const float, 2>& boxes, const TensorView<const float, 1>& scores,
           const TensorView<const std::int32_t, 1>& classes, const NmsParams& params) {
    check_view("nms: boxes", boxes);
    check_view("nms: scores", scores);
    check_view("nms: classes", classes);
    const std::int64_t count = boxes.shape[0];
    if (count > kBoxesMax)
        throw std::invalid_argument("nms: " + std::to_string(count) + " boxes; at most " +
                                    std::to_string(kBoxesMax) + " are possible, keep the best of them first");
    if (boxes.shape[1] != 4) throw std::invalid_argument("nms: boxes are rows of x1 y1 x2 y2");
    if (scores.shape[0] != count || (params.is_class_aware && classes.shape[0] != count)) {
        throw std::invalid_argument("nms: " + std::to_string(count) + " boxes with " +
                                    std::to_string(scores.shape[0]) + " scores and " +
                                    std::to_string(classes.shape[0]) + " classes; give each box one");
    }
    if (!(params.iou_threshold >= 0 && params.iou_threshold <= 1))
        throw std::invalid_argument("nms: an IoU threshold lies between 0 and 1");
    if (std::isnan(params.score_threshold) || params.output_max < 0)
        throw std::invalid_argument("nms: a score threshold is a number, and output_max is not negative");
}

/// The largest float that is not above it: a float is above either where it is above the other.
float float_below(double value) {
    const auto nearest = static_cast<float>(value);
    return static_cast<double>(nearest) > value ? std::nextafter(nearest, -1.0F) : nearest;
}

void number_classes(const TensorView<const std::int32_t, 1>& classes, NmsCandidates& out) {
    if (out.indices.empty()) return;
    std::vector<std::int32_t> own;
    for (const std::uint32_t index : out.indices) own.push_back(classes(index));
    const auto [least, most] = std::minmax_element(own.begin(), own.end());
    const std::int64_t first = *least, range = std::int64_t{*most} - first + 1;
    if (range <= kTableMax) {
        for (std::size_t i = 0; i < own.size(); ++i)
            out.groups[i] = static_cast<std::uint32_t>(own[i] - first);
        out.members.resize(static_cast<std::size_t>(range));
    } else {
        std::vector<std::int32_t> known(own);
        std::sort(known.begin(), known.end());
        known.erase(std::unique(known.begin(), known.end()), known.end());
        for (std::size_t i = 0; i < own.size(); ++i)
            out.groups[i] = static_cast<std::uint32_t>(std::lower_bound(known.begin(), known.end(), own[i]) -
                                                       known.begin());
        out.members.resize(known.size());
    }
}

}  // namespace

NmsCandidates nms_candidates(const TensorView<const float, 2>& boxes,
                             const TensorView<const float, 1>& scores,
                             const TensorView<const std::int32_t, 1>& classes, const NmsParams& params) {
    check(boxes, scores, classes, params);
    std::vector<std::uint64_t> entries, spare;
    for (std::int64_t i = 0; i < boxes.shape[0]; ++i) {
        const float score = scores(i);
        if (score > params.score_threshold)
            entries.push_back(falling_entry(score, static_cast<std::uint32_t>(i)));
    }
    sort_keys(entries, spare);
    NmsCandidates out;
    out.iou_threshold = float_below(params.iou_threshold);
    out.indices.reserve(entries.size());
    out.boxes.reserve(entries.size());
    for (const std::uint64_t entry : entries) {
        const auto index = static_cast<std::uint32_t>(entry);
        NmsBox box{boxes(index, 0), boxes(index, 1), boxes(index, 2), boxes(index, 3), 0};
        box.area = (box.x2 - box.x1) * (box.y2 - box.y1);
        out.indices.push_back(index);
        out.boxes.push_back(box);
    }
    out.groups.resize(entries.size());
    out.members.resize(1);
    if (params.is_class_aware) number_classes(classes, out);
    for (const std::uint32_t group : out.groups) ++out.members[group];
    return out;
}

}  // namespace nightshift::kernels
