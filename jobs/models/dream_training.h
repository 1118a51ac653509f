#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "jobs/models/dream_anomaly.h"
#include "jobs/models/dream_draws.h"
#include "jobs/models/dream_engine.h"
#include "jobs/models/row_store.h"

namespace nightshift::jobs {

/// Means over one epoch, and the validation rows' reconstruction error after it (NaN without any).
struct DreamEpoch {
    DreamLosses train;
    double validation = 0;
};

struct DreamTrainingOptions {
    std::int64_t epochs = 50;
    std::int64_t batch = 32;
    std::uint64_t seed = 42;
    DreamEngineOptions engine;
};

/// The training loop, one batch at a time, with its place as plain data. One thread.
class DreamTraining {
  public:
    /// rows [n, D] of normal training rows, validation [m, D] of normal validation rows (may be empty).
    DreamTraining(SharedRows rows, SharedRows validation, const std::vector<std::string>& features,
                  DreamTrainingOptions options, const DreamEngineFactory& factory);

    bool is_done() const { return epoch_ >= options_.epochs; }
    /// Trains on the next batch, or on the next kBatchesTogether of the epoch where the engine makes them;
    /// at the end of an epoch closes it.
    void advance();

    std::int64_t batches_per_epoch() const;
    std::int64_t step() const { return epoch_ * batches_per_epoch() + batch_; }
    std::int64_t steps() const { return options_.epochs * batches_per_epoch(); }
    std::int64_t epoch() const { return epoch_; }
    const std::vector<DreamEpoch>& history() const { return history_; }
    /// Means over the epoch so far (of the last one where this has just begun).
    DreamLosses current() const;
    DreamModel model() const;
    std::string engine_name() const { return engine_->name(); }

    /// Weights, moments and the place as files in an empty folder.
    void save(const std::filesystem::path& folder) const;
    /// Throws JobError("checkpoint_mismatch") where the checkpoint belongs to other data or parameters.
    void restore(const std::filesystem::path& folder);

  private:
    std::string fingerprint() const;
    DreamLosses step_on(std::span<const std::int64_t> rows);
    void count(const DreamLosses& losses, std::int64_t rows);
    void close_epoch();

    SharedRows rows_, validation_;
    DreamTrainingOptions options_;
    DreamAnomaly anomaly_;
    DreamDraws draws_;
    std::unique_ptr<DreamEngine> engine_;
    kernels::DreamRun* run_ = nullptr;  ///< the engine's, where it makes its batches itself
    std::vector<std::int64_t> order_;  ///< of the running epoch; empty = not drawn yet
    std::int64_t epoch_ = 0, batch_ = 0;
    DreamLosses sums_;  ///< over the rows of the running epoch
    std::int64_t rows_seen_ = 0;
    std::vector<DreamEpoch> history_;
    std::vector<float> clean_, anomalous_, labels_, uniforms_, keep_;
};

}  // namespace nightshift::jobs
