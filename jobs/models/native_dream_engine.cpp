#include "jobs/models/native_dream_engine.h"

#include <utility>

#include "kernels/dream_step.h"

namespace nightshift::jobs {
namespace {

class NativeDreamEngine final : public DreamEngine {
  public:
    explicit NativeDreamEngine(const DreamEngineOptions& options)
        : step_options_{dream_net(options.shape),
                        {options.learning_rate, options.weight_decay},
                        options.discriminator_weight,
                        options.threads},
          backend_(options.gpu ? options.gpu() : nullptr) {
        if (!backend_) backend_ = kernels::make_cpu_backend(options.threads);
        step_ = kernels::make_dream_step(*backend_, step_options_);
        restore(DreamState::from(options.parameters));
    }

    DreamLosses step(const DreamBatch& batch) override { return step_->step(batch); }
    std::vector<float> gradients() const override { return step_->gradients(); }  // before keep_rows() only
    DreamState state() const override {
        kernels::DreamStepState state = run_ ? run_->state() : step_->state();
        return {std::move(state.parameters), std::move(state.first_moment), std::move(state.second_moment),
                state.steps};
    }
    void restore(const DreamState& state) override {
        const kernels::DreamStepState own{state.parameters, state.first_moment, state.second_moment,
                                          state.steps};
        if (run_) return run_->set_state(own);
        step_->set_state(own);
    }
    kernels::DreamRun* keep_rows(const RowStore<float>& rows,
                                 const kernels::DreamRunOptions& wanted) override {
        if (backend_->info().kind != kernels::BackendKind::cuda || wanted.batch > kernels::kDreamRunBatchMax)
            return nullptr;
        // The rest is for what steps need besides.
        const kernels::BackendMemory memory = backend_->memory();
        const auto bytes = static_cast<std::size_t>(rows.rows() * rows.columns()) * sizeof(float);
        if (bytes > (memory.budget_bytes - memory.held_bytes) / 2) return nullptr;
        kernels::DreamRunOptions options = wanted;
        options.step = step_options_;
        const DreamState now = state();
        run_ = kernels::make_dream_run(*backend_, options, rows.all());
        restore(now);
        step_.reset();
        return run_.get();
    }
    std::string name() const override {
        return backend_->info().kind == kernels::BackendKind::cuda ? "native cuda" : "native cpu";
    }

  private:
    kernels::DreamStepOptions step_options_;
    std::shared_ptr<kernels::Backend> backend_;  ///< outlives step and run
    std::unique_ptr<kernels::DreamStep> step_;   ///< null once a run took its place
    std::unique_ptr<kernels::DreamRun> run_;
};

}  // namespace

std::unique_ptr<DreamEngine> make_native_dream_engine(const DreamEngineOptions& options) {
    return std::make_unique<NativeDreamEngine>(options);
}

}  // namespace nightshift::jobs
