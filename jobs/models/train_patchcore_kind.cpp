#include <filesystem>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "jobs/kinds.h"
#include "jobs/models/features_input.h"
#include "jobs/models/model_folder.h"
#include "jobs/models/patchcore.h"
#include "jobs/models/scorer.h"
#include "jobs/models/training_rows.h"
#include "jobs/models/training_run.h"
#include "jobs/runtime/compute_backend.h"
#include "jobs/runtime/phase.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;

class TrainPatchCore final : public JobImpl {
  public:
    explicit TrainPatchCore(json params) : params_(std::move(params)) {}

    void run(JobContext& context) override {
        context.progress(phase_at("read", 0));
        const FeaturesInput input = read_features(context, params_, training_columns(params_));
        const FeatureSet training = rows_of(input.set, training_rows(input, params_));
        Model model = prepare(input.set, training);
        const ModelRows rows(model, training, "the model in training");
        const PatchCoreOptions options = options_of(context);
        const auto is_wanted = [&](double) { return !context.stop_requested(); };
        auto bank = pick_bank(rows, options, row_room(context), is_wanted);
        if (!bank) {
            // A cancel throws here. A yield returns: half a bank cannot be saved, so the job goes on.
            context.check(0, {});
            bank = pick_bank(rows, options, row_room(context));
        }
        model.tensors.push_back(
            {"bank", {static_cast<std::int64_t>(bank->picks.size()), training.columns()}, bank->values});
        write_bank_csv(*bank, context);
        find_threshold(model, input.set, training,
                       score_options(context, "the model in training", nullptr, "threshold",
                                     options.backend));
        report_memory(context, *options.backend);
        model.training_json = json{{"rows", training.rows}, {"bank_rows", bank->picks.size()}}.dump();
        write_model(model, context.output() / "model");
        context.artifact("model", "model");
        context.artifact("bank.csv", "table");
        context.log("bank of " + std::to_string(bank->picks.size()) + " rows out of " +
                    std::to_string(training.rows) + ", threshold " + std::to_string(model.threshold) + " (" +
                    model.threshold_rule + ")");
    }

  private:
    Model prepare(const FeatureSet& all, const FeatureSet& training) const {
        Model model = untrained_model("patchcore", training, wants_normalizer(params_, all));
        model.settings_json = json{
            {"k", params_.at("k")},
            {"precision", params_.at("precision")},
            {"sampling", params_.at("sampling")},
            {"seed", params_.at("seed")},
            {"start",
             params_.at("start")}}.dump();
        return model;
    }

    PatchCoreOptions options_of(JobContext& context) const {
        PatchCoreOptions options;
        options.bank = params_.at("bank").get<double>();
        options.sampling = params_.at("sampling") == "greedy" ? PatchCoreOptions::Sampling::kGreedy
                                                              : PatchCoreOptions::Sampling::kRandom;
        options.seed = params_.at("seed").get<std::uint64_t>();
        options.start = params_.at("start").get<std::int64_t>();
        options.k = params_.at("k").get<int>();
        options.precision = params_.at("precision") == "fp32" ? PatchCoreOptions::Precision::kFp32
                                                              : PatchCoreOptions::Precision::kFp64;
        options.threads = context.threads();
        options.backend = compute_backend(context);
        return options;
    }

    static void write_bank_csv(const PatchCoreBank& bank, const JobContext& context) {
        Table table;
        table.add("row", std::vector<double>(bank.picks.begin(), bank.picks.end()));
        write_table(table, context.output() / "bank.csv", TableFormat::kCsv);
    }

    json params_;
};

nlohmann::ordered_json schema() {
    return one_class_schema(nlohmann::ordered_json::parse(R"JSON({
        "bank": {"type": "number", "default": 1000, "exclusiveMinimum": 0, "maximum": 10000000,
            "x-ko": "뱅크 행 수, 1 미만이면 비율",
            "description": "Rows to keep; below 1 a share of the training rows"},
        "sampling": {"type": "string", "enum": ["random", "greedy"], "default": "random",
            "x-ko": "추출 방식", "description": "random: as NumPy's choice; greedy: farthest point first"},
        "seed": {"type": "integer", "default": 42, "minimum": 0, "description": "Of random sampling",
            "x-ko": "난수 시드"},
        "start": {"type": "integer", "default": 0, "minimum": 0,
            "description": "First row of greedy sampling", "x-ko": "greedy의 첫 행"},
        "k": {"type": "integer", "default": 1, "minimum": 1, "maximum": 64, "x-ko": "이웃 수",
            "description": "Neighbours whose mean distance is the score"},
        "precision": {"type": "string", "enum": ["fp64", "fp32"], "default": "fp64", "x-ko": "정밀도",
            "description": "fp32 rounds the values to float first"}
    })JSON"),
                            true);
}

}  // namespace

Kind train_patchcore_kind() {
    Kind kind;
    kind.name = "train.patchcore";
    kind.job_class = JobClass::kTraining;
    kind.summary_en = "Keeps typical normal rows and scores by the distance to them";
    kind.summary_ko = "정상 행을 골라 두고 그 거리로 점수를 매깁니다";
    kind.ram = gibibytes(1);
    kind.checkpoint = CheckpointMode::kNone;
    kind.schema = schema;
    kind.artifacts = {model_note(),
                      {"bank.csv", "the training rows that were kept, in the order they were picked",
                       "남긴 학습 행의 번호, 고른 순서대로"}};
    kind.make = [](const json& params) { return std::make_unique<TrainPatchCore>(params); };
    return kind;
}

}  // namespace nightshift::jobs
