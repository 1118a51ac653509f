#pragma once

#include <cstdint>
#include <span>

namespace nightshift::kernels {

struct AdamSettings {
    double learning_rate = 1e-3;
    double weight_decay = 0;  ///< times the parameter, added to its gradient (coupled L2)
};

/// One step of Adam (0.9, 0.999, 1e-8) in float32, operation by operation as PyTorch does it; `steps`
/// counts this one (1 at the first). All spans have one length, else std::invalid_argument. Equal bits on
/// every instruction set. Pure but for what it writes; any thread.
void adam_update(std::span<float> parameters, std::span<float> first_moment, std::span<float> second_moment,
                 std::span<const float> gradients, std::int64_t steps, const AdamSettings& settings);

}  // namespace nightshift::kernels
