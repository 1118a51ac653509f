#include <algorithm>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "jobs/kinds.h"
#include "jobs/models/ensemble_training.h"
#include "jobs/models/features_input.h"
#include "jobs/models/free_name.h"
#include "jobs/models/training_rows.h"
#include "jobs/models/training_run.h"
#include "jobs/runtime/phase.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;

class TrainEnsemble final : public JobImpl {
  public:
    explicit TrainEnsemble(json params) : params_(std::move(params)) {}

    void run(JobContext& context) override {
        context.progress(phase_at("read", 0));
        Ensemble ensemble;
        ensemble.method = method_of(params_.at("method").get<std::string>());
        ensemble.is_compat = params_.at("compat").get<bool>();
        ensemble.members = read_members(context);
        const std::string set = feature_set_of(ensemble);
        const FeaturesInput input = read_features(context, params_, {}, set.empty() ? "native" : set);
        const FeatureSet training = rows_of(input.set, training_rows(input, params_));
        const FeatureSet validation = rows_of(input.set, labelled_validation_rows(input.set));
        const ScoreOptions options = score_options(context, "the ensemble", input.dataset.get());
        const ScoreColumns on_training = member_scores(ensemble, training, options);
        const ScoreColumns on_validation = validation.rows > 0 ? member_scores(ensemble, validation, options)
                                                               : ScoreColumns(ensemble.members.size());
        for (std::size_t m = 0; m < ensemble.members.size(); ++m)
            ensemble.members[m].range = range_of(on_training[m]);
        const EnsembleFit fit = fit_ensemble(ensemble, validation, on_training, on_validation,
                                             target_of(params_.at("target").get<std::string>()));
        write(context, ensemble, fit, training.rows);
    }

  private:
    std::vector<EnsembleMember> read_members(JobContext& context) const {
        std::vector<EnsembleMember> members;
        for (const json& reference : params_.at("models")) {
            const auto text = reference.get<std::string>();
            EnsembleMember member;
            member.model = read_model(context.input(text, "model"));
            if (member.model.kind == "ensemble") {
                throw JobError("bad_param",
                               "'" + text + "' is an ensemble itself; give the single models it is made of");
            }
            member.name = free_name(member.model.kind, members);
            members.push_back(std::move(member));
        }
        return members;
    }

    void write(JobContext& context, const Ensemble& ensemble, const EnsembleFit& fit,
               std::int64_t training_rows) const {
        Model model = model_of_ensemble(ensemble);
        model.threshold = fit.threshold.value;
        model.threshold_rule = fit.threshold.rule;
        model.training_json = json{{"rows", training_rows}, {"weights_rule", fit.weights_rule}}.dump();
        write_model(model, context.output() / "model");
        context.artifact("model", "model");
        std::string weights;
        for (std::size_t m = 0; m < ensemble.members.size(); ++m) {
            weights +=
                (m == 0 ? "" : ", ") + ensemble.members[m].name + " " + std::to_string(ensemble.weights[m]);
        }
        context.log(std::string(name_of(ensemble.method)) + " of " + weights + " (" + fit.weights_rule + ")");
        context.log("threshold " + std::to_string(model.threshold) + " (" + model.threshold_rule + ")");
        context.progress(phase_at("score", 1));
    }

    json params_;
};

nlohmann::ordered_json schema() {
    auto schema = nlohmann::ordered_json::parse(R"JSON({
        "type": "object",
        "required": ["models"],
        "properties": {
            "models": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 6,
                "x-artifact": "model", "description": "Models to join: folders or job:ID",
                "x-ko": "합칠 모델: 폴더 또는 job:ID"},
            "method": {"type": "string", "enum": ["weighted", "max", "stacking"], "default": "weighted",
                "x-ko": "합치는 방법",
                "description": "weighted: mean; max: largest; stacking: logistic regression"},
            "features": {"type": "string", "x-artifact": "table",
                "description": "Table with the training and validation rows: a file or job:ID",
                "x-ko": "학습·검증 행의 특징 표: 파일 또는 job:ID"},
            "dataset": {"type": "string", "x-artifact": "dataset",
                "x-ko": "데이터 세트 (분할과 라벨의 출처, 특징이 없으면 추출)",
                "description": "Data set with labels and splits; features are extracted if missing"},
            "compat": {"type": "boolean", "default": false,
                "x-ko": "참조 구현처럼: 점수를 그 배치 안에서 정규화",
                "description": "As the reference: scores are scaled within the rows being scored"},
            "target": {"type": "string", "enum": ["f1", "precision", "recall", "balanced"], "default": "f1",
                "x-ko": "compat: 탐색 목표", "description": "compat: what its searches maximise"}
        }
    })JSON");
    schema["properties"]["rows"] = rows_schema();
    return schema;
}

}  // namespace

Kind train_ensemble_kind() {
    Kind kind;
    kind.name = "train.ensemble";
    kind.job_class = JobClass::kTraining;
    kind.summary_en = "Joins several models into one score, weighed on the validation split";
    kind.summary_ko = "여러 모델을 하나의 점수로 합치고 검증 분할에서 가중치를 정합니다";
    kind.ram = gibibytes(1);
    kind.checkpoint = CheckpointMode::kNone;
    kind.schema = schema;
    kind.artifacts = {model_note()};
    kind.make = [](const json& params) { return std::make_unique<TrainEnsemble>(params); };
    return kind;
}

}  // namespace nightshift::jobs
