#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cpu/aligned_floats.h"
#include "kernels/dream_step.h"

namespace nightshift::kernels {

/// Smallest logarithm in the cross entropy, as in PyTorch.
inline constexpr double kDreamLogMin = -100;

/// Sums over the rows of a batch become the means that a step reports.
void finish_losses(const DreamStepOptions& options, std::int64_t rows, DreamStepLosses& losses);

/// How weights of a layer lie in a step's own arrays: [out, in], as in the contract, or [in, out].
enum class DreamWeights { plain, turned };

/// A step whose state lies in the host's memory: all but what the batch teaches. Adam takes each number by
/// itself, so the weights may lie as the step likes; in and out they go as the contract says.
class HostDreamStep : public DreamStep {
  public:
    HostDreamStep(const DreamStepOptions& options, DreamWeights weights);

    DreamStepLosses step(const DreamStepBatch& batch) final;
    std::vector<float> gradients() const final { return as_in_contract(gradients_); }
    DreamStepState state() const final;
    void set_state(DreamStepState state) final;

  protected:
    /// Sums of the batch's losses; leaves its gradients in gradients_. The batch fits.
    virtual DreamStepLosses learn(const DreamStepBatch& batch) = 0;

    DreamStepOptions options_;
    std::vector<DreamNetLayer> layers_;
    AlignedFloats parameters_, gradients_;  ///< weights lie as the constructor was told

  private:
    std::vector<float> as_in_contract(std::span<const float> numbers) const;
    AlignedFloats as_here(std::span<const float> numbers) const;

    DreamWeights weights_;
    AlignedFloats first_moment_, second_moment_;
    std::int64_t steps_ = 0;
};

}  // namespace nightshift::kernels
