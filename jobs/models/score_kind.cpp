#include <filesystem>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "jobs/kinds.h"
#include "jobs/models/features_input.h"
#include "jobs/models/model_folder.h"
#include "jobs/models/score_table.h"
#include "jobs/models/scorer.h"
#include "jobs/runtime/phase.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;

class Score final : public JobImpl {
  public:
    explicit Score(json params) : params_(std::move(params)) {}

    void run(JobContext& context) override {
        const auto reference = params_.at("model").get<std::string>();
        const Model model = read_model(context.input(reference, "model"));
        context.progress(phase_at("read", 0));
        const FeaturesInput input =
            read_features(context, params_, {}, model.feature_set.empty() ? "native" : model.feature_set);
        const std::vector<double> scores =
            score_rows(model, input.set, score_options(context, reference, input.dataset.get()));
        std::int64_t above = 0;
        for (const double score : scores) above += score >= model.threshold ? 1 : 0;
        write_scores(context.output() / "scores.csv", input.set, {{"score", scores}});
        context.artifact("scores.csv", "table");
        context.progress(phase_at("score", 1));
        context.log(std::to_string(scores.size()) + " rows scored, " + std::to_string(above) +
                    " at or above the model's threshold " + std::to_string(model.threshold));
    }

  private:
    json params_;
};

nlohmann::ordered_json schema() {
    return nlohmann::ordered_json::parse(R"JSON({
        "type": "object",
        "required": ["model"],
        "properties": {
            "model": {"type": "string", "x-artifact": "model", "description": "Model folder or job:ID",
                "x-ko": "모델 폴더 또는 job:ID"},
            "features": {"type": "string", "x-artifact": "table",
                "description": "Table of features: a file or job:ID", "x-ko": "특징 표: 파일 또는 job:ID"},
            "dataset": {"type": "string", "x-artifact": "dataset", "x-ko": "데이터 세트; features가 없으면 특징을 추출",
                "description": "Data set; without features they are extracted from it"}
        }
    })JSON");
}

}  // namespace

Kind score_kind() {
    Kind kind;
    kind.name = "score";
    kind.job_class = JobClass::kInference;
    kind.summary_en = "Scores every row of a table or data set with a trained model";
    kind.summary_ko = "학습된 모델로 표나 데이터 세트의 모든 행에 점수를 매깁니다";
    kind.ram = mebibytes(512);
    kind.checkpoint = CheckpointMode::kNone;
    kind.schema = schema;
    kind.artifacts = {{"scores.csv", "a row of the table each: score, higher is more unusual",
                       "표의 행마다 한 행: 점수, 클수록 이상"}};
    kind.make = [](const json& params) { return std::make_unique<Score>(params); };
    return kind;
}

}  // namespace nightshift::jobs
