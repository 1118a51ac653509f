#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "jobs/models/feature_set.h"
#include "jobs/models/model_folder.h"
#include "jobs/models/scorer.h"
#include "jobs/runtime/job_impl.h"

/// What every kind that trains does the same way.
namespace nightshift::jobs {

/// A checkpoint between yields, so that a power cut costs little.
inline constexpr std::chrono::seconds kCheckpointEvery{30};
inline constexpr std::chrono::milliseconds kProgressEvery{100};

/// What README.txt says of a trained model, and of the losses of its epochs.
ArtifactNote model_note();
ArtifactNote curves_note();

/// Normal rows of the validation split; none where no split is known.
std::vector<std::int64_t> normal_validation_rows(const FeatureSet& set);

/// Rows of the validation split with a label, damaged ones too; of a plain table none.
std::vector<std::int64_t> labelled_validation_rows(const FeatureSet& set);

/// A model without tensors: the features of `training`, and their z-scores where it `normalizes`.
Model untrained_model(std::string kind, const FeatureSet& training, bool normalizes);

/// The rows as a network sees them.
SharedRows prepared(const Model& model, const FeatureSet& set, const RowRoom& room);

/// Scores `all` and `training` with the model and gives it its threshold (see choose_threshold).
void find_threshold(Model& model, const FeatureSet& all, const FeatureSet& training,
                    const ScoreOptions& options);

/// Goes on where a checkpoint says. `loop` is a DreamTraining, TemporalTraining or SupervisedTraining.
template <typename Loop>
void resume_training(JobContext& context, Loop& loop) {
    const auto folder = context.resume_from();
    if (!folder) return;
    loop.restore(*folder);
    context.log("resumed at step " + std::to_string(loop.step()) + " of " + std::to_string(loop.steps()));
}

/// Trains to the end, with a checkpoint at a yield and now and then; `report` tells of the progress.
template <typename Loop, typename Report>
void run_training(JobContext& context, Loop& loop, Report report) {
    using Clock = std::chrono::steady_clock;
    const auto save = [&](const std::filesystem::path& folder) { loop.save(folder); };
    auto saved_at = Clock::now();
    auto told_at = saved_at - kProgressEvery;
    while (!loop.is_done()) {
        context.check(loop.step(), save);
        loop.advance();
        const auto now = Clock::now();
        if (now - told_at >= kProgressEvery || loop.is_done()) {
            report();
            told_at = now;
        }
        if (now - saved_at >= kCheckpointEvery && !loop.is_done()) {
            context.checkpoint(loop.step(), save);
            saved_at = now;
        }
    }
}

}  // namespace nightshift::jobs
