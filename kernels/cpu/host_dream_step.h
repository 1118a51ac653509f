#pragma once

#include <vector>

#include "kernels/dream_step.h"

namespace nightshift::kernels {

/// Smallest logarithm in the cross entropy, as in PyTorch.
inline constexpr double kDreamLogMin = -100;

/// Sums over the rows of a batch become the means that a step reports.
void finish_losses(const DreamStepOptions& options, std::int64_t rows, DreamStepLosses& losses);

/// A step whose state lies in the host's memory: all but what the batch teaches.
class HostDreamStep : public DreamStep {
  public:
    explicit HostDreamStep(const DreamStepOptions& options);

    DreamStepLosses step(const DreamStepBatch& batch) final;
    std::vector<float> gradients() const final { return gradients_; }
    DreamStepState state() const final { return state_; }
    void set_state(DreamStepState state) final;

  protected:
    /// Sums of the batch's losses; leaves its gradients in gradients_. The batch fits.
    virtual DreamStepLosses learn(const DreamStepBatch& batch) = 0;

    DreamStepOptions options_;
    DreamStepState state_;
    std::vector<float> gradients_;
};

}  // namespace nightshift::kernels
