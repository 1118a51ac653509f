#pragma once

#include <cstdint>
#include <vector>

#include "kernels/nms.h"

namespace nightshift::kernels {

/// The boxes that take part, the highest score first.
struct NmsCandidates {
    std::vector<std::uint32_t> indices;  ///< of the boxes given
    std::vector<NmsBox> boxes;
    std::vector<std::uint32_t> groups;   ///< classes numbered from 0; all 0 where they do not matter
    std::vector<std::uint32_t> members;  ///< [groups] how many there are of each
    float iou_threshold = 0;             ///< in float: as many overlaps are greater as of the double
};

/// Checks all that nms() takes. Throws std::invalid_argument.
NmsCandidates nms_candidates(const TensorView<const float, 2>& boxes,
                             const TensorView<const float, 1>& scores,
                             const TensorView<const std::int32_t, 1>& classes, const NmsParams& params);

}  // namespace nightshift::kernels
