#pragma once

#include <cstdint>
#include <span>

namespace nightshift::kernels {

struct AdamSettings {
    double learning_rate = 1e-3;
    double weight_decay = 0;  ///< times the parameter, added to its gradient (coupled L2)
};

/// One step of Adam in float32: g + weight_decay * p is the gradient; first += mix1 * (g - first);
/// second = keep2 * second + mix2 * g * g; p -= step_size * first / (sqrt(second) / correction + epsilon).
struct AdamFactors {
    float weight_decay, mix1, keep2, mix2, step_size, correction, epsilon;
};
/// Those of step `steps` (1 at the first), worked out in double.
AdamFactors adam_factors(const AdamSettings& settings, std::int64_t steps);

/// One step of Adam (0.9, 0.999, 1e-8) in float32, operation by operation as PyTorch does it; `steps`
/// counts this one (1 at the first). All spans have one length, else std::invalid_argument. Equal bits on
/// every instruction set. Pure but for what it writes; any thread.
void adam_update(std::span<float> parameters, std::span<float> first_moment, std::span<float> second_moment,
                 std::span<const float> gradients, std::int64_t steps, const AdamSettings& settings);

}  // namespace nightshift::kernels
