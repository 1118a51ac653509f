#pragma once

#include <cstdint>
#include <vector>

#include "kernels/backend.h"
#include "kernels/view.h"

namespace nightshift::kernels {

/// Most columns of a row that is searched.
inline constexpr std::int64_t kTopKColumnsMax = (std::int64_t{1} << 31) - 1;

struct TopK {
    std::int64_t k = 0;
    std::vector<float> values;          ///< [rows, k], falling, with the bits they have in the row
    std::vector<std::int32_t> indices;  ///< [rows, k], columns

    bool operator==(const TopK&) const = default;
};

/// The k largest of every row. in [rows, columns] f32 of any strides, 0 <= k <= columns.
/// Order: by value, falling, -0 equal to 0; equal values and NaNs the lowest column first. A NaN comes after
/// every number, so it is chosen only where numbers run out (torch.topk puts it first).
/// Equal on CPU and GPU. Any thread.
/// Throws std::invalid_argument on k or shapes that do not fit, DeviceError or OverBudget on the GPU.
TopK top_k_cpu(const TensorView<const float, 2>& in, std::int64_t k);
TopK top_k_cuda(Backend& backend, const TensorView<const float, 2>& in, std::int64_t k);
TopK top_k(Backend& backend, const TensorView<const float, 2>& in, std::int64_t k);

}  // namespace nightshift::kernels
