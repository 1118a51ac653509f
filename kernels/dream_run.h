#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/backend.h"
#include "kernels/dream_step.h"

namespace nightshift::kernels {

/// Rows of a batch of a run, at most.
inline constexpr std::int64_t kDreamRunBatchMax = 1 << 16;

struct DreamRunOptions {
    DreamStepOptions step;
    std::int64_t batch = 32;             ///< rows of a step; the last of an epoch may have fewer
    std::vector<DreamScaling> scalings;  ///< of the synthetic anomalies
    float drop = 0;                      ///< probability that a hidden value is dropped; 0 = none
    std::uint64_t seed = 0;              ///< key of all draws
    std::uint32_t anomaly_kind = 0, dropout_kind = 1;  ///< kinds of Philox draws
};

/// Training of the DREAM pair where the rows lie: batches are gathered, made anomalous and learnt from
/// without the host. Batch b of n rows in epoch e draws what fill_uniforms() gives for {seed, b,
/// anomaly_kind, e}, [1 + scalings, n], and fill_keep_factors() for {seed, b, dropout_kind, e}, each hidden
/// layer's [n, out] after the other: the same bits on every device, so losses differ as those of DreamStep
/// do. One thread.
class DreamRun {
  public:
    virtual ~DreamRun() = default;
    /// Trains on batches first_batch, first_batch + 1, ... of an epoch; `order` names their rows, batch after
    /// batch. Gives the losses of each. Throws std::invalid_argument, and changes nothing, where a row is
    /// outside or a number does not fit 32 bits.
    virtual std::vector<DreamStepLosses> run(std::span<const std::int64_t> order, std::int64_t epoch,
                                             std::int64_t first_batch) = 0;
    virtual DreamStepState state() const = 0;
    virtual void set_state(DreamStepState state) = 0;
};

/// rows [n, columns], n >= 1; the CPU looks at them as long as it lives, the GPU copies them at once. Throws
/// std::invalid_argument on sizes that do not fit.
/// CUDA: up to kDreamTogether rows a batch, one kernel stays on the device for many steps; larger batches
/// take four launches each, recorded as a graph. Throws DeviceError and OverBudget.
std::unique_ptr<DreamRun> make_dream_run_cpu(const DreamRunOptions& options, std::span<const float> rows);
std::unique_ptr<DreamRun> make_dream_run_cuda(Backend& backend, const DreamRunOptions& options,
                                              std::span<const float> rows);
/// On whatever the backend is; its threads count, not the options'. The backend has to outlive it.
std::unique_ptr<DreamRun> make_dream_run(Backend& backend, const DreamRunOptions& options,
                                         std::span<const float> rows);

/// Rows of a batch that a kernel which stays on the GPU takes, at most.
inline constexpr std::int64_t kDreamTogether = 128;

}  // namespace nightshift::kernels
