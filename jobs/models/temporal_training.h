#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "jobs/models/temporal_model.h"
#include "jobs/models/temporal_windows.h"
#include "jobs/models/training_state.h"

namespace nightshift::jobs {

/// Normalised rows and the windows over them, all of one length.
struct WindowedRows {
    SharedRows values;  ///< [rows, columns]
    Windows windows;
};

/// One step on n windows (time-major, see TemporalPass): mean squared error, its derivatives, Adam. Returns
/// the error before the step.
double temporal_step(const TemporalShape& shape, TrainingState& state, const FloatRows& windows,
                     Eigen::Index n, double learning_rate);

/// Mean squared errors of one epoch: over its batches, and of the validation windows after it (NaN = none).
struct TemporalEpoch {
    double train = 0, validation = 0;
};

struct TemporalTrainingOptions {
    TemporalShape shape;
    std::int64_t epochs = 50;
    std::int64_t batch = 32;
    std::uint64_t seed = 42;
    double learning_rate = 1e-3;
};

/// The training loop, one batch at a time, with its place as plain data: save anywhere, resume with the
/// same bits. One thread.
class TemporalTraining {
  public:
    /// Windows of normal training rows (at least one) and of normal validation rows.
    TemporalTraining(WindowedRows training, WindowedRows validation, TemporalTrainingOptions options);

    bool is_done() const { return epoch_ >= options_.epochs; }
    /// Trains on the next batch, or, after the last one of an epoch, looks at a block of validation windows.
    void advance();

    std::int64_t batches_per_epoch() const;
    std::int64_t step() const { return epoch_ * batches_per_epoch() + batch_; }
    std::int64_t steps() const { return options_.epochs * batches_per_epoch(); }
    std::int64_t epoch() const { return epoch_; }
    const std::vector<TemporalEpoch>& history() const { return history_; }
    /// Mean over the epoch so far (of the last one where this has just begun).
    double current() const;
    const TemporalShape& shape() const { return options_.shape; }
    const std::vector<float>& parameters() const { return state_.parameters; }

    /// Weights, moments and the place as files in an empty folder.
    void save(const std::filesystem::path& folder) const;
    /// Throws JobError("checkpoint_mismatch") where the checkpoint belongs to other data or parameters.
    void restore(const std::filesystem::path& folder);

  private:
    std::string fingerprint() const;
    void train_batch();
    void validate_block();
    void close_epoch();

    WindowedRows training_, validation_;
    TemporalTrainingOptions options_;
    TrainingState state_;
    std::vector<std::int64_t> order_;  ///< of the running epoch; empty = not drawn yet
    std::int64_t epoch_ = 0, batch_ = 0;
    double sum_ = 0;  ///< over the windows of the running epoch
    std::int64_t windows_seen_ = 0;
    std::size_t validated_ = 0;  ///< validation windows seen after the running epoch
    double validation_sum_ = 0;
    std::vector<TemporalEpoch> history_;
};

}  // namespace nightshift::jobs
