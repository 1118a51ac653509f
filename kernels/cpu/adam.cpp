#include "kernels/adam.h"

#include <cmath>
#include <stdexcept>

#include "kernels/cpu/array_ops.h"

namespace nightshift::kernels {
namespace {

constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;
constexpr double kEpsilon = 1e-8;

}  // namespace

AdamFactors adam_factors(const AdamSettings& settings, std::int64_t steps) {
    const auto step = static_cast<double>(steps);
    AdamFactors factors;
    factors.weight_decay = static_cast<float>(settings.weight_decay);
    factors.mix1 = static_cast<float>(1 - kBeta1);
    factors.keep2 = static_cast<float>(kBeta2);
    factors.mix2 = static_cast<float>(1 - kBeta2);
    factors.step_size = static_cast<float>(settings.learning_rate / (1 - std::pow(kBeta1, step)));
    factors.correction = static_cast<float>(std::sqrt(1 - std::pow(kBeta2, step)));
    factors.epsilon = static_cast<float>(kEpsilon);
    return factors;
}

void adam_update(std::span<float> parameters, std::span<float> first_moment, std::span<float> second_moment,
                 std::span<const float> gradients, std::int64_t steps, const AdamSettings& settings) {
    const std::size_t count = parameters.size();
    if (first_moment.size() != count || second_moment.size() != count || gradients.size() != count) {
        throw std::invalid_argument("adam: parameters, moments and gradients differ in length");
    }
    array_ops().adam(parameters.data(), first_moment.data(), second_moment.data(), gradients.data(),
                     static_cast<std::int64_t>(count), adam_factors(settings, steps));
}

}  // namespace nightshift::kernels
