#include "jobs/optimize/model_data.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "jobs/evaluate/metrics.h"
#include "jobs/models/features_input.h"
#include "jobs/models/scorer.h"
#include "jobs/models/sequence_scores.h"
#include "jobs/models/training_rows.h"
#include "jobs/models/training_run.h"
#include "jobs/runtime/compute_backend.h"

namespace nightshift::jobs {

ModelData::ModelData(const nlohmann::json& params, JobContext& context)
    : room_(row_room(context)), backend_(compute_backend(context)) {
    const ColumnChoice columns{params.value("columns", std::vector<std::string>{}), {}, {}};
    const FeaturesInput input = read_features(context, params, columns);
    training_ = rows_of(input.set, training_rows(input, params));
    validation_ = rows_of(input.set, labelled_validation_rows(input.set));
    const auto has = [&](int label) {
        return std::find(validation_.label.begin(), validation_.label.end(), label) !=
               validation_.label.end();
    };
    if (!has(0) || !has(1)) {
        throw JobError("bad_table",
                       input.set.origin +
                           ": a search is judged on the validation split, which needs damaged and "
                           "normal sequences; give a table with the columns sequence, label and "
                           "split, or a dataset that has them");
    }
    untrained_ = untrained_model("", training_, wants_normalizer(params, input.set));
    rows_.emplace(untrained_, training_, "the model of this trial");
}

Model ModelData::untrained(const std::string& kind) const {
    Model model = untrained_;
    model.kind = kind;
    return model;
}

double ModelData::validation_auc(const Model& model, JobContext& context) const {
    ScoreOptions options;
    options.threads = context.threads();
    options.backend = backend_;
    options.name = "the model of this trial";
    SequenceScores sequences = group_by_sequence(validation_);
    aggregate_scores(sequences, score_rows(model, validation_, options), Aggregate::kMax);
    return roc_auc(sequences.label, sequences.score);
}

}  // namespace nightshift::jobs
