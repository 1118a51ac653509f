#include "jobs/models/train_dream.h"

#include <algorithm>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "jobs/models/dream_training.h"
#include "jobs/models/features_input.h"
#include "jobs/models/scorer.h"
#include "jobs/models/training_rows.h"
#include "jobs/models/training_run.h"
#include "jobs/runtime/compute_backend.h"
#include "jobs/runtime/phase.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;

/// Rows of a batch from which more than one thread pays.
constexpr std::int64_t kThreadedBatch = 1024;

class TrainDream final : public JobImpl {
  public:
    TrainDream(json params, DreamEngineFactory factory)
        : params_(std::move(params)), factory_(std::move(factory)) {}

    void run(JobContext& context) override {
        context.progress(phase_at("read", 0));
        if (context.vram_budget().value > 0) context.claim(context.vram_budget());
        const FeaturesInput input = read_features(context, params_, training_columns(params_));
        const FeatureSet training = rows_of(input.set, training_rows(input, params_));
        const FeatureSet validation = rows_of(input.set, normal_validation_rows(input.set));
        Model model = untrained_model("dream", training, wants_normalizer(params_, input.set));
        const RowRoom room = row_room(context);
        DreamTraining loop(prepared(model, training, room), prepared(model, validation, room), training.names,
                           options_of(context), factory_);
        resume_training(context, loop);
        if (params_.at("amp").get<bool>() && loop.engine_name().starts_with("native"))
            context.log("amp is LibTorch's: our own engine computes in float32");
        context.log("engine " + loop.engine_name() + ", " + std::to_string(training.rows) +
                    " training rows, " + std::to_string(training.names.size()) + " features");
        run_training(context, loop, [&] { report(context, loop); });
        finish(context, loop, std::move(model), input.set, training);
    }

  private:
    DreamTrainingOptions options_of(JobContext& context) const {
        DreamTrainingOptions options;
        options.epochs = params_.at("epochs").get<std::int64_t>();
        options.batch = params_.at("batch").get<std::int64_t>();
        options.seed = params_.at("seed").get<std::uint64_t>();
        options.engine.learning_rate = params_.at("lr").get<double>();
        options.engine.use_cuda = context.device() == ComputeDevice::kCuda;
        options.engine.gpu = [&context] { return gpu_backend(context); };
        options.engine.use_amp = params_.at("amp").get<bool>();
        options.engine.threads = options.batch >= kThreadedBatch ? std::max(context.threads(), 1) : 1;
        if (options.engine.use_amp && !options.engine.use_cuda) {
            context.log("amp works on a GPU only: this run computes in float32");
            options.engine.use_amp = false;
        }
        return options;
    }

    static void report(JobContext& context, const DreamTraining& loop) {
        const DreamLosses now = loop.current();
        Progress progress;
        progress.phase = "train";
        progress.step = loop.step();
        progress.steps = loop.steps();
        progress.metrics = {{"epoch", static_cast<double>(loop.epoch())},
                            {"loss", now.total},
                            {"reconstruction", now.reconstruction},
                            {"discriminator", now.discriminator}};
        if (!loop.history().empty() && loop.history().back().validation == loop.history().back().validation) {
            progress.metrics.emplace_back("val_reconstruction", loop.history().back().validation);
        }
        context.progress(progress);
    }

    void finish(JobContext& context, const DreamTraining& loop, Model model, const FeatureSet& all,
                const FeatureSet& training) const {
        put_dream(loop.model(), model);
        model.training_json = json{{"rows", training.rows},        {"epochs", params_.at("epochs")},
                                   {"batch", params_.at("batch")}, {"lr", params_.at("lr")},
                                   {"seed", params_.at("seed")},   {"engine", loop.engine_name()},
                                   {"loss", loop.current().total}}
                                  .dump();
        ScoreOptions options;
        options.name = "the model in training";
        find_threshold(model, all, training, options);
        write_model(model, context.output() / "model");
        write_curves(context, loop);
        context.artifact("model", "model");
        context.artifact("curves.csv", "table");
        context.log("loss " + std::to_string(loop.current().total) + ", threshold " +
                    std::to_string(model.threshold) + " (" + model.threshold_rule + ")");
    }

    static void write_curves(const JobContext& context, const DreamTraining& loop) {
        std::vector<double> epoch, loss, reconstruction, discriminator, validation;
        for (const DreamEpoch& each : loop.history()) {
            epoch.push_back(static_cast<double>(epoch.size() + 1));
            loss.push_back(each.train.total);
            reconstruction.push_back(each.train.reconstruction);
            discriminator.push_back(each.train.discriminator);
            validation.push_back(each.validation);
        }
        Table table;
        table.add("epoch", std::move(epoch));
        table.add("loss", std::move(loss));
        table.add("reconstruction", std::move(reconstruction));
        table.add("discriminator", std::move(discriminator));
        table.add("val_reconstruction", std::move(validation));
        write_table(table, context.output() / "curves.csv", TableFormat::kCsv);
    }

    json params_;
    DreamEngineFactory factory_;
};

}  // namespace

std::unique_ptr<JobImpl> make_train_dream(const json& params, DreamEngineFactory factory) {
    return std::make_unique<TrainDream>(params, std::move(factory));
}

}  // namespace nightshift::jobs
