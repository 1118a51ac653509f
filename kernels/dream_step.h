#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/adam.h"
#include "kernels/backend.h"
#include "kernels/dream_net.h"

namespace nightshift::kernels {

/// A column of an anomaly and its factor: low + span * uniform. A column may come twice; the later counts.
struct DreamScaling {
    std::int64_t column = 0;
    float low = 1, span = 0;
};

/// The synthetic anomalies of a batch. clean [n, columns]; uniforms [1 + scalings, n]: row 0 is each row's
/// coin (above 0.5: anomalous), then one row a scaling. Writes anomalous [n, columns] and labels [n] (1
/// where any value changed by more than 1e-6). Equal bits everywhere. Throws std::invalid_argument on sizes
/// that do not fit.
void dream_anomalies(std::span<const float> clean, std::span<const float> uniforms,
                     std::span<const DreamScaling> scalings, std::int64_t columns, std::span<float> anomalous,
                     std::span<float> labels);

/// Values of a batch at most, rows times columns.
inline constexpr std::int64_t kDreamValuesMax = std::int64_t{1} << 40;

/// One batch of n >= 1 rows.
struct DreamStepBatch {
    std::int64_t rows = 0;
    std::span<const float> clean;      ///< [n, columns], what the autoencoder shall give back
    std::span<const float> anomalous;  ///< [n, columns], what it sees
    std::span<const float> labels;     ///< [n], 1 = anomalous
    /// Dropout factors of every hidden layer in order, each [n, out]; empty = none.
    std::span<const float> keep;
};

struct DreamStepLosses {
    double total = 0, reconstruction = 0, discriminator = 0;
};

struct DreamStepState {
    std::vector<float> parameters, first_moment, second_moment;
    std::int64_t steps = 0;
};

struct DreamStepOptions {
    DreamNetShape shape;
    AdamSettings adam;
    double discriminator_weight = 0.5;
    int threads = 1;  ///< of the CPU, for batches above 512 rows; changes no bit
};

/// Training steps of the pair, fused: forward, loss = MSE(reconstruction, clean) + weight *
/// BCE(discriminator, label) (logarithms cut at -100), backward, Adam. float32; loss sums in double.
/// Tolerance between the implementations: losses 1e-6, gradients 1e-5 of the largest, parameters 1e-5 after
/// a few steps. Each repeats its own bits on the same machine; on the CPU avx2 and avx512 agree in all bits.
/// Numbers that are not finite go through to the losses. Called by one thread at a time.
/// step() and set_state() throw std::invalid_argument on sizes that do not fit, and then change nothing.
class DreamStep {
  public:
    virtual ~DreamStep() = default;
    virtual DreamStepLosses step(const DreamStepBatch& batch) = 0;
    /// Of the last step, before Adam, in the layout of the parameters; zeros before the first.
    virtual std::vector<float> gradients() const = 0;
    virtual DreamStepState state() const = 0;
    virtual void set_state(DreamStepState state) = 0;
};

/// Plain loops, for comparison.
std::unique_ptr<DreamStep> make_dream_step_reference(const DreamStepOptions& options);
/// In the instructions that this processor has.
std::unique_ptr<DreamStep> make_dream_step_cpu(const DreamStepOptions& options);
/// A block of threads takes four rows forward and back in one kernel, two more sum the gradients and do
/// Adam: three launches a step, whatever the batch. Throws DeviceError where the build has no CUDA or the
/// device fails.
/// The backend has to outlive it.
std::unique_ptr<DreamStep> make_dream_step_cuda(Backend& backend, const DreamStepOptions& options);
/// On whatever the backend is; its threads count, not the options'.
std::unique_ptr<DreamStep> make_dream_step(Backend& backend, const DreamStepOptions& options);

}  // namespace nightshift::kernels
