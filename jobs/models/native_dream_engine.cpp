#include "jobs/models/native_dream_engine.h"

#include <utility>

#include "kernels/dream_step.h"

namespace nightshift::jobs {
namespace {

class NativeDreamEngine final : public DreamEngine {
  public:
    explicit NativeDreamEngine(const DreamEngineOptions& options)
        : backend_(options.gpu ? options.gpu() : nullptr) {
        if (!backend_) backend_ = kernels::make_cpu_backend(options.threads);
        step_ = kernels::make_dream_step(*backend_, {dream_net(options.shape),
                                                     {options.learning_rate, options.weight_decay},
                                                     options.discriminator_weight,
                                                     options.threads});
        restore(DreamState::from(options.parameters));
    }

    DreamLosses step(const DreamBatch& batch) override { return step_->step(batch); }
    std::vector<float> gradients() const override { return step_->gradients(); }
    DreamState state() const override {
        kernels::DreamStepState state = step_->state();
        return {std::move(state.parameters), std::move(state.first_moment), std::move(state.second_moment),
                state.steps};
    }
    void restore(const DreamState& state) override {
        step_->set_state({state.parameters, state.first_moment, state.second_moment, state.steps});
    }
    std::string name() const override {
        return backend_->info().kind == kernels::BackendKind::cuda ? "native cuda" : "native cpu";
    }

  private:
    std::shared_ptr<kernels::Backend> backend_;  ///< outlives the step
    std::unique_ptr<kernels::DreamStep> step_;
};

}  // namespace

std::unique_ptr<DreamEngine> make_native_dream_engine(const DreamEngineOptions& options) {
    return std::make_unique<NativeDreamEngine>(options);
}

}  // namespace nightshift::jobs
