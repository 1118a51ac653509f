#include "jobs/models/train_supervised.h"

#include <algorithm>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "jobs/models/features_input.h"
#include "jobs/models/sequence_scores.h"
#include "jobs/models/supervised_data.h"
#include "jobs/models/supervised_training.h"
#include "jobs/models/training_rows.h"
#include "jobs/models/training_run.h"
#include "jobs/runtime/phase.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;

/// Maps held before they are stored: some 10 MB.
constexpr std::int64_t kMapsAtATime = 1024;

class TrainSupervised final : public JobImpl {
  public:
    TrainSupervised(json params, SupervisedEngineFactory factory)
        : params_(std::move(params)), factory_(std::move(factory)) {}

    void run(JobContext& context) override {
        context.progress(phase_at("read", 0));
        if (context.vram_budget().value > 0) context.claim(context.vram_budget());
        const auto label = params_.at("label").get<std::string>();
        ColumnChoice columns = training_columns(params_);
        columns.also.clear();  // the data set may know the labels
        const FeaturesInput input = read_features(context, params_, columns);
        const SupervisedData data = supervised_data(input, label, params_.at("seed").get<std::uint64_t>());
        Model model = untrained_model("supervised", data.training.set, true);
        for (const LabelledSet* rows : {&data.training, &data.validation}) require_finite(rows->set);
        SupervisedRows training = rows_of_network(context, model, data.training, input);
        SupervisedRows validation = rows_of_network(context, model, data.validation, input);
        training.weights = balancing_weights(data.training, data.scenarios.size());
        training.scenarios = data.training.scenario;
        MapNormalizer map_normalizer;
        if (training.maps) map_normalizer = fit_map_normalizer(*training.maps);
        const SupervisedTrainingOptions options = options_of(context, data, training.maps != nullptr);
        SupervisedTraining loop(std::move(training), std::move(validation), std::move(map_normalizer),
                                options, factory_);
        resume_training(context, loop);
        tell_what_is_trained(context, data, loop, options.engine.shape);
        run_training(context, loop, [&] { report(context, loop); });
        finish(context, loop, std::move(model), data);
    }

  private:
    bool wants_map(const FeaturesInput& input) const {
        if (!params_.at("map").get<bool>()) return false;
        if (input.dataset && !input.set.is_plain()) return true;
        throw JobError("missing_param",
                       "map: true needs the tracks of the sequences; give the dataset that " +
                           input.set.origin + " came from, or leave map out");
    }

    SupervisedRows rows_of_network(JobContext& context, const Model& model, const LabelledSet& rows,
                                   const FeaturesInput& input) const {
        SupervisedRows out;
        out.features = prepared(model, rows.set, row_room(context));
        out.labels.assign(rows.label.begin(), rows.label.end());
        if (!wants_map(input)) return out;
        out.maps = made_maps(context, SequenceMaps(rows.set, *input.dataset));
        return out;
    }

    static SharedRows made_maps(JobContext& context, const SequenceMaps& maps) {
        RowStore<float> out(kMapStored, row_room(context));
        for (std::int64_t first = 0; first < maps.count(); first += kMapsAtATime) {
            const auto tell = [&](std::size_t done) {
                context.check(0, {});
                const auto made = static_cast<double>(first) + static_cast<double>(done);
                context.progress(phase_at("maps", made / static_cast<double>(maps.count())));
            };
            out.append(maps.made(first, std::min(kMapsAtATime, maps.count() - first),
                                 std::max(context.threads(), 1), tell));
        }
        return std::make_shared<const RowStore<float>>(std::move(out));
    }

    SupervisedTrainingOptions options_of(JobContext& context, const SupervisedData& data,
                                         bool has_map) const {
        SupervisedTrainingOptions options;
        options.epochs = params_.at("epochs").get<std::int64_t>();
        options.batch = params_.at("batch").get<std::int64_t>();
        options.patience = params_.at("patience").get<std::int64_t>();
        options.seed = params_.at("seed").get<std::uint64_t>();
        options.learning_rate = params_.at("lr").get<double>();
        options.engine.shape = {data.training.set.columns(), params_.at("width").get<std::int64_t>(),
                                static_cast<std::int64_t>(data.scenarios.size()), has_map};
        // Steps are small: on a busy machine several threads wait for each other longer than they compute.
        options.engine.threads = 1;
        options.engine.use_cuda = context.device() == ComputeDevice::kCuda;
        return options;
    }

    static void tell_what_is_trained(JobContext& context, const SupervisedData& data,
                                     const SupervisedTraining& loop, const SupervisedShape& shape) {
        const auto& labels = data.training.label;
        context.log("engine " + loop.engine_name() + ", " + std::to_string(labels.size()) +
                    " training rows, " + std::to_string(std::count(labels.begin(), labels.end(), 1)) +
                    " of them damaged, " + std::to_string(data.validation.label.size()) +
                    (data.is_held_out ? " kept back to validate, " : " validation rows, ") +
                    std::to_string(shape.columns) + " features" + (shape.has_map ? " and a map" : "") + ", " +
                    std::to_string(supervised_parameter_count(shape)) + " parameters");
        if (data.unlabelled > 0)
            context.log(std::to_string(data.unlabelled) + " rows without a label are left out");
    }

    static void report(JobContext& context, const SupervisedTraining& loop) {
        const SupervisedLosses now = loop.current();
        Progress progress;
        progress.phase = "train";
        progress.step = loop.step();
        progress.steps = loop.steps();
        progress.metrics = {{"epoch", static_cast<double>(loop.epoch())}, {"loss", now.total}};
        if (!loop.history().empty()) {
            progress.metrics.emplace_back("val_loss", loop.history().back().validation_loss);
            progress.metrics.emplace_back("val_roc_auc", loop.history().back().validation_auc);
        }
        context.progress(progress);
    }

    void finish(JobContext& context, const SupervisedTraining& loop, Model model,
                const SupervisedData& data) const {
        put_supervised(loop.model(), model);
        const SupervisedEpoch& best = loop.history().at(static_cast<std::size_t>(loop.best_epoch()));
        model.training_json =
            json{{"rows", data.training.set.rows}, {"validation_rows", data.validation.set.rows},
                 {"held_out", data.is_held_out},   {"scenarios", data.scenarios},
                 {"epochs", params_.at("epochs")}, {"best_epoch", loop.best_epoch() + 1},
                 {"batch", params_.at("batch")},   {"lr", params_.at("lr")},
                 {"seed", params_.at("seed")},     {"engine", loop.engine_name()},
                 {"loss", best.train.total},       {"val_roc_auc", best.validation_auc}}
                .dump();
        const Threshold threshold = threshold_of(data, loop.validation_scores());
        model.threshold = threshold.value;
        model.threshold_rule = threshold.rule;
        write_model(model, context.output() / "model");
        write_curves(context, loop);
        context.artifact("model", "model");
        context.artifact("curves.csv", "table");
        const auto ran = static_cast<std::int64_t>(loop.history().size());
        context.log("best of " + std::to_string(ran) + " epochs is " + std::to_string(loop.best_epoch() + 1) +
                    ": validation ROC AUC " + std::to_string(best.validation_auc) + ", threshold " +
                    std::to_string(model.threshold) + " (" + model.threshold_rule + ")");
    }

    /// The largest F1 of the validation sequences (of a plain table: rows).
    static Threshold threshold_of(const SupervisedData& data, const std::vector<double>& scores) {
        SequenceScores sequences = group_by_sequence(data.validation.set);
        for (std::size_t s = 0; s < sequences.size(); ++s) {
            sequences.split[s] = Split::kVal;
            sequences.label[s] = data.validation.label[static_cast<std::size_t>(sequences.rows[s].front())];
        }
        aggregate_scores(sequences, scores, Aggregate::kMax);
        Threshold out = choose_threshold(sequences, {});
        if (data.is_held_out) out.rule = "largest F1 on the training rows that were kept back";
        return out;
    }

    static void write_curves(const JobContext& context, const SupervisedTraining& loop) {
        std::vector<double> epoch, loss, damaged, scenario, val_loss, val_auc;
        for (const SupervisedEpoch& each : loop.history()) {
            epoch.push_back(static_cast<double>(epoch.size() + 1));
            loss.push_back(each.train.total);
            damaged.push_back(each.train.damaged);
            scenario.push_back(each.train.scenario);
            val_loss.push_back(each.validation_loss);
            val_auc.push_back(each.validation_auc);
        }
        Table table;
        table.add("epoch", std::move(epoch));
        table.add("loss", std::move(loss));
        table.add("damaged", std::move(damaged));
        table.add("scenario", std::move(scenario));
        table.add("val_loss", std::move(val_loss));
        table.add("val_roc_auc", std::move(val_auc));
        write_table(table, context.output() / "curves.csv", TableFormat::kCsv);
    }

    json params_;
    SupervisedEngineFactory factory_;
};

}  // namespace

std::unique_ptr<JobImpl> make_train_supervised(const json& params, SupervisedEngineFactory factory) {
    return std::make_unique<TrainSupervised>(params, std::move(factory));
}

}  // namespace nightshift::jobs
