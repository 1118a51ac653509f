#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "jobs/models/row_store.h"
#include "jobs/models/supervised_draws.h"
#include "jobs/models/supervised_engine.h"
#include "jobs/models/training_state.h"

namespace nightshift::jobs {

/// Rows as the network sees them.
struct SupervisedRows {
    SharedRows features;                  ///< [n, columns] z-scores
    SharedRows maps;                      ///< [n, kMapStored]; null without a map
    std::vector<float> labels;            ///< [n]
    std::vector<float> weights;           ///< [n]; training rows only
    std::vector<std::int64_t> scenarios;  ///< [n]; training rows only, empty where none are known

    std::int64_t count() const { return static_cast<std::int64_t>(labels.size()); }
};

/// Means over one epoch, and how the averaged parameters did on the validation rows after it.
struct SupervisedEpoch {
    SupervisedLosses train;
    double validation_loss = 0;  ///< cross entropy in which both classes count the same
    double validation_auc = 0;
};

struct SupervisedTrainingOptions {
    std::int64_t epochs = 60;
    std::int64_t batch = 64;
    std::int64_t patience = 15;  ///< epochs without a better one on the validation rows before it ends
    std::uint64_t seed = 42;
    double learning_rate = 1e-3;  ///< at the start; falls to 0 along a cosine
    SupervisedEngineOptions engine;
};

/// The training loop, one batch or one block of validation rows at a time, with its place as plain data.
/// Adam on the engine's gradients; what is judged and kept are running averages of the parameters, those of
/// the epoch with the largest validation ROC AUC (of equal ones the smallest loss). One thread.
class SupervisedTraining {
  public:
    SupervisedTraining(SupervisedRows training, SupervisedRows validation, MapNormalizer map_normalizer,
                       SupervisedTrainingOptions options, const SupervisedEngineFactory& factory);

    bool is_done() const;
    /// Trains on the next batch, or looks at the next validation rows; at the end of an epoch closes it.
    void advance();

    std::int64_t batches_per_epoch() const;
    std::int64_t step() const { return epoch_ * batches_per_epoch() + batch_; }
    std::int64_t steps() const { return options_.epochs * batches_per_epoch(); }
    std::int64_t epoch() const { return epoch_; }
    const std::vector<SupervisedEpoch>& history() const { return history_; }
    /// Means over the epoch so far (of the last one where this has just begun).
    SupervisedLosses current() const;
    std::int64_t best_epoch() const { return best_epoch_; }  ///< from 0
    /// The best parameters so far; before the first epoch's end those to start from.
    SupervisedModel model() const;
    /// Log-odds of the validation rows by model().
    std::vector<double> validation_scores() const;
    std::string engine_name() const { return engine_->name(); }

    /// Parameters, moments, averages and the place as files in an empty folder.
    void save(const std::filesystem::path& folder) const;
    /// Throws JobError("checkpoint_mismatch") where the checkpoint belongs to other data or parameters.
    void restore(const std::filesystem::path& folder);

  private:
    std::string fingerprint() const;
    void train_batch();
    void validate_block();
    void close_epoch();
    std::vector<float> block_scores(std::int64_t first, std::int64_t count,
                                    const std::vector<float>& parameters) const;

    SupervisedRows training_, validation_;
    MapNormalizer map_normalizer_;
    SupervisedTrainingOptions options_;
    SupervisedDraws draws_;
    std::unique_ptr<SupervisedEngine> engine_;
    TrainingState state_;
    std::vector<float> average_, best_;
    std::vector<std::int64_t> order_;  ///< of the running epoch; empty = not drawn yet
    std::int64_t epoch_ = 0, batch_ = 0, best_epoch_ = 0;
    SupervisedLosses sums_;  ///< over the rows of the running epoch
    std::int64_t rows_seen_ = 0;
    std::vector<float> scores_;  ///< of the validation rows seen since the epoch's last batch
    std::vector<SupervisedEpoch> history_;
    // Reused from batch to batch.
    std::vector<float> features_, stored_maps_, maps_, labels_, weights_, keep_, noise_, gradient_;
    std::vector<std::int64_t> scenarios_;
    std::vector<MapShift> shifts_;
};

}  // namespace nightshift::jobs
