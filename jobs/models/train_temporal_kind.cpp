#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "jobs/kinds.h"
#include "jobs/models/features_input.h"
#include "jobs/models/temporal_training.h"
#include "jobs/models/training_rows.h"
#include "jobs/models/training_run.h"
#include "jobs/runtime/phase.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;

class TrainTemporal final : public JobImpl {
  public:
    explicit TrainTemporal(json params) : params_(std::move(params)) {}

    void run(JobContext& context) override {
        context.progress(phase_at("read", 0));
        const FeaturesInput input = read_features(context, params_, training_columns(params_));
        const FeatureSet training = rows_of(input.set, training_rows(input, params_));
        const FeatureSet validation = rows_of(input.set, normal_validation_rows(input.set));
        Model model = untrained_model("temporal", training, wants_normalizer(params_, input.set));
        const std::int64_t window = params_.at("window").get<std::int64_t>();
        const RowRoom room = row_room(context);
        WindowedRows rows{prepared(model, training, room), windows_of(training, window, false)};
        if (rows.windows.empty()) {
            throw JobError("no_training_rows",
                           training.origin + " has no normal sequence of " + std::to_string(window) +
                               " frames in its training split; lower window, or extract features by frame "
                               "(set compat21, compat75 or compat81)");
        }
        const std::size_t windows = rows.windows.size();
        TemporalTraining loop(std::move(rows),
                              {prepared(model, validation, room), windows_of(validation, window, false)},
                              options_of(training.columns()));
        resume_training(context, loop);
        context.log(std::to_string(windows) + " training windows of " + std::to_string(window) + " frames, " +
                    std::to_string(training.columns()) + " features, " +
                    std::to_string(loop.parameters().size()) + " parameters");
        run_training(context, loop, [&] { report(context, loop); });
        finish(context, loop, std::move(model), input.set, training);
    }

  private:
    bool is_compat() const { return params_.at("compat").get<bool>(); }

    TemporalTrainingOptions options_of(std::int64_t columns) const {
        TemporalTrainingOptions options;
        options.shape = {columns, params_.at("hidden").get<std::int64_t>(),
                         cell_of(params_.at("cell").get<std::string>()),
                         is_compat() ? DecoderInput::kSequence : DecoderInput::kState};
        options.epochs = params_.at("epochs").get<std::int64_t>();
        options.batch = params_.at("batch").get<std::int64_t>();
        options.seed = params_.at("seed").get<std::uint64_t>();
        options.learning_rate = params_.at("lr").get<double>();
        return options;
    }

    static void report(JobContext& context, const TemporalTraining& loop) {
        Progress progress;
        progress.phase = "train";
        progress.step = loop.step();
        progress.steps = loop.steps();
        progress.metrics = {{"epoch", static_cast<double>(loop.epoch())}, {"loss", loop.current()}};
        if (!loop.history().empty() && loop.history().back().validation == loop.history().back().validation) {
            progress.metrics.emplace_back("val_reconstruction", loop.history().back().validation);
        }
        context.progress(progress);
    }

    void finish(JobContext& context, const TemporalTraining& loop, Model model, const FeatureSet& all,
                const FeatureSet& training) const {
        const TemporalModel temporal{loop.shape(), params_.at("window").get<std::int64_t>(),
                                     params_.at("overlap") == "mean", is_compat(), loop.parameters()};
        model.settings_json = temporal_settings(temporal);
        model.tensors = temporal_tensors(temporal.shape, temporal.parameters);
        model.training_json =
            json{{"rows", training.rows},  {"epochs", params_.at("epochs")}, {"batch", params_.at("batch")},
                 {"lr", params_.at("lr")}, {"seed", params_.at("seed")},     {"engine", "native cpu"},
                 {"loss", loop.current()}}
                .dump();
        ScoreOptions options;
        options.name = "the model in training";
        options.tick = [&](double share) {
            context.check(loop.step(), [&](const std::filesystem::path& folder) { loop.save(folder); });
            context.progress(phase_at("threshold", share));
        };
        find_threshold(model, all, training, options);
        write_model(model, context.output() / "model");
        write_curves(context, loop);
        context.artifact("model", "model");
        context.artifact("curves.csv", "table");
        context.log("loss " + std::to_string(loop.current()) + ", threshold " +
                    std::to_string(model.threshold) + " (" + model.threshold_rule + ")");
    }

    static void write_curves(const JobContext& context, const TemporalTraining& loop) {
        std::vector<double> epoch, loss, validation;
        for (const TemporalEpoch& each : loop.history()) {
            epoch.push_back(static_cast<double>(epoch.size() + 1));
            loss.push_back(each.train);
            validation.push_back(each.validation);
        }
        Table table;
        table.add("epoch", std::move(epoch));
        table.add("loss", std::move(loss));
        table.add("val_reconstruction", std::move(validation));
        write_table(table, context.output() / "curves.csv", TableFormat::kCsv);
    }

    json params_;
};

nlohmann::ordered_json schema() {
    return one_class_schema(nlohmann::ordered_json::parse(R"JSON({
        "cell": {"type": "string", "enum": ["lstm", "gru"], "default": "lstm", "x-ko": "순환 셀",
            "description": "Kind of recurrent cell"},
        "window": {"type": "integer", "default": 10, "minimum": 2, "maximum": 200, "x-unit": "frames",
            "description": "Consecutive frames seen together", "x-ko": "함께 보는 연속 프레임 수"},
        "hidden": {"type": "integer", "default": 64, "minimum": 1, "maximum": 256,
            "x-ko": "은닉 크기; 창 하나를 나타내는 수의 개수",
            "description": "Width of a layer: the numbers that stand for a whole window"},
        "epochs": {"type": "integer", "default": 50, "minimum": 1, "maximum": 100000,
            "description": "Passes over the training windows", "x-ko": "에폭 수"},
        "batch": {"type": "integer", "default": 32, "minimum": 1, "maximum": 1024,
            "description": "Windows a step", "x-ko": "배치 크기"},
        "lr": {"type": "number", "default": 0.001, "exclusiveMinimum": 0, "maximum": 1,
            "description": "Learning rate of Adam", "x-ko": "학습률"},
        "overlap": {"type": "string", "enum": ["max", "mean"], "default": "max",
            "x-ko": "겹치는 창에서 프레임 점수를 내는 법",
            "description": "How the windows that cover a frame become its score"},
        "compat": {"type": "boolean", "default": false,
            "x-ko": "참조 구현처럼: 병목 없음, 프레임 번호만으로 창을 연결",
            "description": "As the reference: no bottleneck, windows joined by frame number alone"},
        "seed": {"type": "integer", "default": 42, "minimum": 0,
            "description": "Of weights and order", "x-ko": "난수 시드"}
    })JSON"),
                            false);
}

}  // namespace

Kind train_temporal_kind() {
    Kind kind;
    kind.name = "train.temporal";
    kind.job_class = JobClass::kTraining;
    kind.summary_en = "Trains a recurrent autoencoder on windows of consecutive frames";
    kind.summary_ko = "연속 프레임 창에 대해 순환 오토인코더를 학습합니다";
    kind.ram = gibibytes(1);
    kind.checkpoint = CheckpointMode::kWorker;
    kind.schema = schema;
    kind.artifacts = {model_note(), curves_note()};
    kind.make = [](const json& params) { return std::make_unique<TrainTemporal>(params); };
    return kind;
}

}  // namespace nightshift::jobs
