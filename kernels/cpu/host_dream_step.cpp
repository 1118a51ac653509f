#include "kernels/cpu/host_dream_step.h"

#include <utility>

#include "kernels/cpu/dream_checks.h"

namespace nightshift::kernels {

void finish_losses(const DreamStepOptions& options, std::int64_t rows, DreamStepLosses& losses) {
    losses.reconstruction /= static_cast<double>(rows * options.shape.columns);
    losses.discriminator /= static_cast<double>(rows);
    losses.total = losses.reconstruction + options.discriminator_weight * losses.discriminator;
}

HostDreamStep::HostDreamStep(const DreamStepOptions& options) : options_(options) {
    const auto parameters = static_cast<std::size_t>(dream_net_layers(options.shape).back().end());
    state_.parameters.resize(parameters);
    state_.first_moment.resize(parameters);
    state_.second_moment.resize(parameters);
    gradients_.resize(parameters);
}

DreamStepLosses HostDreamStep::step(const DreamStepBatch& batch) {
    check_fits(options_, batch);
    DreamStepLosses losses = learn(batch);
    finish_losses(options_, batch.rows, losses);
    adam_update(state_.parameters, state_.first_moment, state_.second_moment, gradients_, ++state_.steps,
                options_.adam);
    return losses;
}

void HostDreamStep::set_state(DreamStepState state) {
    check_fits(options_, state);
    state_ = std::move(state);
}

}  // namespace nightshift::kernels
