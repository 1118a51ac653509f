#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/dream_run.h"

namespace nightshift::jobs {

/// The random numbers of DREAM training, from Philox with the job's seed: what is drawn depends on epoch
/// and batch alone, so a resumed run needs no generator state. Immutable, any thread.
class DreamDraws {
  public:
    explicit DreamDraws(std::uint64_t seed) : seed_(seed) {}

    /// Order of the rows in this epoch.
    std::vector<std::int64_t> order(std::int64_t rows, std::int64_t epoch) const;
    /// Uniform (0, 1) numbers for the batch's anomalies.
    void anomaly_uniforms(std::int64_t epoch, std::int64_t batch, std::span<float> out) const;
    /// Dropout factors: 0 with probability kDreamDropout, else 1 / (1 - kDreamDropout).
    void keep_factors(std::int64_t epoch, std::int64_t batch, std::span<float> out) const;

    /// The same draws for a run that makes its batches itself: seed, kinds and drop are filled in.
    void put(kernels::DreamRunOptions& options) const;

  private:
    std::uint64_t seed_;
};

}  // namespace nightshift::jobs
