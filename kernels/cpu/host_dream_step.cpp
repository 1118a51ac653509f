#include "kernels/cpu/host_dream_step.h"

#include "kernels/cpu/dream_block.h"
#include "kernels/cpu/dream_checks.h"

namespace nightshift::kernels {

void finish_losses(const DreamStepOptions& options, std::int64_t rows, DreamStepLosses& losses) {
    losses.reconstruction /= static_cast<double>(rows * options.shape.columns);
    losses.discriminator /= static_cast<double>(rows);
    losses.total = losses.reconstruction + options.discriminator_weight * losses.discriminator;
}

HostDreamStep::HostDreamStep(const DreamStepOptions& options, DreamWeights weights)
    : options_(options), layers_(dream_net_layers(options.shape)), weights_(weights) {
    for (AlignedFloats* each : {&parameters_, &gradients_, &first_moment_, &second_moment_})
        each->resize(static_cast<std::size_t>(layers_.back().end()));
}

DreamStepLosses HostDreamStep::step(const DreamStepBatch& batch) {
    check_fits(options_, batch);
    DreamStepLosses losses = learn(batch);
    finish_losses(options_, batch.rows, losses);
    adam_update(parameters_, first_moment_, second_moment_, gradients_, ++steps_, options_.adam);
    return losses;
}

DreamStepState HostDreamStep::state() const {
    return {as_in_contract(parameters_), as_in_contract(first_moment_), as_in_contract(second_moment_),
            steps_};
}

void HostDreamStep::set_state(DreamStepState state) {
    check_fits(options_, state);
    parameters_ = as_here(state.parameters);
    first_moment_ = as_here(state.first_moment);
    second_moment_ = as_here(state.second_moment);
    steps_ = state.steps;
}

std::vector<float> HostDreamStep::as_in_contract(std::span<const float> numbers) const {
    std::vector<float> plain(numbers.begin(), numbers.end());
    if (weights_ == DreamWeights::turned) turn_weights_back(layers_, numbers, plain);
    return plain;
}

AlignedFloats HostDreamStep::as_here(std::span<const float> numbers) const {
    AlignedFloats own(numbers.begin(), numbers.end());
    if (weights_ == DreamWeights::turned) turn_weights(layers_, numbers, own);
    return own;
}

}  // namespace nightshift::kernels
