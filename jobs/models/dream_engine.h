#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "jobs/models/dream_model.h"
#include "jobs/models/row_store.h"
#include "jobs/models/training_state.h"
#include "kernels/backend.h"
#include "kernels/dream_run.h"
#include "kernels/dream_step.h"

namespace nightshift::jobs {

/// Probability that a hidden value is dropped in training.
inline constexpr float kDreamDropout = 0.1F;

// One batch of n rows and what a step loses on it, as the kernels take them.
using DreamLosses = kernels::DreamStepLosses;
using DreamBatch = kernels::DreamStepBatch;
using DreamState = TrainingState;

struct DreamEngineOptions {
    DreamShape shape;
    std::vector<float> parameters;  ///< to start from
    double learning_rate = 1e-3;
    double weight_decay = 1e-5;  ///< added to the gradient (coupled L2)
    double discriminator_weight = kDiscriminatorWeight;
    int threads = 1;
    bool use_cuda = false;
    /// The job's GPU for an engine of our own kernels, null = the CPU; asked once. Empty: the CPU.
    std::function<std::shared_ptr<kernels::Backend>()> gpu;
    bool use_amp = false;  ///< bfloat16 matrix products, CUDA only
};

/// Does training steps: loss = MSE(reconstruction of anomalous, clean) + weight * BCE(discriminator of
/// [anomalous ; reconstruction], label), then Adam (0.9, 0.999, 1e-8). One thread at a time.
class DreamEngine {
  public:
    virtual ~DreamEngine() = default;
    virtual DreamLosses step(const DreamBatch& batch) = 0;
    /// Of the last step, before Adam; the layout of the parameters.
    virtual std::vector<float> gradients() const = 0;
    virtual DreamState state() const = 0;
    virtual void restore(const DreamState& state) = 0;
    /// Takes all training rows to where the steps are done, and from then on makes batches there: the run's
    /// steps take the place of step(). Null: batches are the caller's. The engine owns the run.
    virtual kernels::DreamRun* keep_rows(const RowStore<float>&, const kernels::DreamRunOptions&) {
        return nullptr;
    }
    /// "torch cpu", "torch cuda", ...: for the log and the model's record.
    virtual std::string name() const = 0;
};

using DreamEngineFactory = std::function<std::unique_ptr<DreamEngine>(const DreamEngineOptions&)>;

}  // namespace nightshift::jobs
