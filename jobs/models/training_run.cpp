#include "jobs/models/training_run.h"

#include "jobs/models/model_rows.h"
#include "jobs/models/sequence_scores.h"

namespace nightshift::jobs {

ArtifactNote model_note() {
    return {"model/",
            "model.json (features, z-scores, threshold, settings) and its tensors, raw little-endian; give "
            "it as model",
            "model.json(특징, 정규화, 임계값, 설정)과 텐서(리틀 엔디언). model 매개변수로 씁니다"};
}

ArtifactNote curves_note() {
    return {"curves.csv", "a row an epoch: losses on training and validation rows",
            "에폭마다 한 행: 학습·검증 손실"};
}

std::vector<std::int64_t> normal_validation_rows(const FeatureSet& set) {
    std::vector<std::int64_t> rows;
    for (std::int64_t r = 0; r < set.rows && !set.is_plain(); ++r) {
        const auto at = static_cast<std::size_t>(r);
        if (set.split[at] == Split::kVal && set.label[at] == 0) rows.push_back(r);
    }
    return rows;
}

std::vector<std::int64_t> labelled_validation_rows(const FeatureSet& set) {
    std::vector<std::int64_t> rows;
    for (std::int64_t r = 0; r < set.rows && !set.is_plain(); ++r) {
        const auto at = static_cast<std::size_t>(r);
        if (set.split[at] == Split::kVal && set.label[at] >= 0) rows.push_back(r);
    }
    return rows;
}

Model untrained_model(std::string kind, const FeatureSet& training, bool normalizes) {
    Model model;
    model.kind = std::move(kind);
    model.features = training.names;
    model.feature_set = training.set;
    if (normalizes) model.normalizer = fit_normalizer(training);
    return model;
}

SharedRows prepared(const Model& model, const FeatureSet& set, const RowRoom& room) {
    return std::make_shared<const RowStore<float>>(
        ModelRows(model, set, "the model in training").narrow(room));
}

void find_threshold(Model& model, const FeatureSet& all, const FeatureSet& training,
                    const ScoreOptions& options) {
    const std::vector<double> training_scores = score_rows(model, training, options);
    SequenceScores sequences;
    if (!all.is_plain()) {
        sequences = group_by_sequence(all);
        aggregate_scores(sequences, score_rows(model, all, options), Aggregate::kMax);
    }
    const Threshold threshold = choose_threshold(sequences, training_scores);
    model.threshold = threshold.value;
    model.threshold_rule = threshold.rule;
}

}  // namespace nightshift::jobs
