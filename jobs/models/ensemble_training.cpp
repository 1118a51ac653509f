#include "jobs/models/ensemble_training.h"

#include <algorithm>

#include "jobs/evaluate/logistic.h"
#include "jobs/evaluate/metrics.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

bool has_both_classes(const std::vector<int>& labels) {
    const auto damaged = std::count(labels.begin(), labels.end(), 1);
    return damaged > 0 && damaged < static_cast<std::ptrdiff_t>(labels.size());
}

/// Every member's scores of one class, one row each.
ScoreColumns rows_with_label(const ScoreColumns& columns, const std::vector<int>& labels, int label) {
    ScoreColumns out(columns.size());
    for (std::size_t m = 0; m < columns.size(); ++m) {
        for (std::size_t r = 0; r < labels.size(); ++r) {
            if (labels[r] == label) out[m].push_back(columns[m][r]);
        }
    }
    return out;
}

/// The weights whose sequences have the largest ROC AUC; of equal ones the most even.
std::vector<double> searched_weights(const ScoreColumns& scaled, SequenceScores& sequences) {
    std::vector<double> best;
    double best_area = -1;
    for (const std::vector<double>& weights : weight_grid(scaled.size())) {
        aggregate_scores(sequences, weighted(scaled, weights), Aggregate::kMax);
        const double area = roc_auc(sequences.label, sequences.score);
        if (area > best_area) best_area = area, best = weights;
    }
    return best;
}

/// Logistic regression on the columns listed; rows are [rows, columns].
LogisticWeights fit_on(const ScoreColumns& columns, const std::vector<std::size_t>& which,
                       const std::vector<int>& labels) {
    std::vector<double> rows;
    for (std::size_t r = 0; r < labels.size(); ++r) {
        for (const std::size_t column : which) rows.push_back(columns[column][r]);
    }
    return fit_unscaled_logistic(rows, static_cast<std::int64_t>(which.size()), labels);
}

/// One row a sequence: the largest scaled score of each member. A member that would count against damage
/// is left out: more unusual must never become less damaged.
void stack(Ensemble& ensemble, const ScoreColumns& scaled, SequenceScores& sequences) {
    ScoreColumns columns;
    for (const auto& column : scaled) {
        aggregate_scores(sequences, column, Aggregate::kMax);
        columns.push_back(sequences.score);
    }
    std::vector<std::size_t> which;
    for (std::size_t m = 0; m < columns.size(); ++m) which.push_back(m);
    ensemble.weights.assign(columns.size(), 0);
    while (!which.empty()) {
        const LogisticWeights fit = fit_on(columns, which, sequences.label);
        const auto lowest = std::min_element(fit.weights.begin(), fit.weights.end());
        if (*lowest >= 0) {
            for (std::size_t i = 0; i < which.size(); ++i) ensemble.weights[which[i]] = fit.weights[i];
            ensemble.intercept = fit.intercept;
            return;
        }
        which.erase(which.begin() + (lowest - fit.weights.begin()));
    }
    throw JobError("no_signal",
                   "no member scores damaged validation sequences higher than normal ones, so there is "
                   "nothing to stack; use method max, or other models");
}

EnsembleFit fit_as_reference(Ensemble& ensemble, const std::vector<int>& labels,
                             const ScoreColumns& on_validation, SearchTarget target) {
    const ScoreColumns normals = rows_with_label(on_validation, labels, 0),
                       damaged = rows_with_label(on_validation, labels, 1);
    EnsembleFit fit;
    fit.weights_rule = "as the reference, on the validation rows";
    if (ensemble.method == EnsembleMethod::kWeighted) {
        ensemble.weights = reference_weights(normals, damaged, target);
    } else if (ensemble.method == EnsembleMethod::kStacking) {
        // Normals and damaged rows are scaled apart, each by itself.
        ScoreColumns columns = scaled_scores(ensemble, normals);
        const ScoreColumns more = scaled_scores(ensemble, damaged);
        std::vector<int> own(columns.front().size(), 0);
        own.resize(own.size() + more.front().size(), 1);
        std::vector<std::size_t> which;
        for (std::size_t m = 0; m < columns.size(); ++m) {
            columns[m].insert(columns[m].end(), more[m].begin(), more[m].end());
            which.push_back(m);
        }
        const LogisticWeights stacked = fit_on(columns, which, own);
        ensemble.weights = stacked.weights;
        ensemble.intercept = stacked.intercept;
    }
    fit.threshold = {
        reference_threshold(ensemble_scores(ensemble, normals), ensemble_scores(ensemble, damaged), target),
        "as the reference: largest measure over the validation normals' percentiles"};
    return fit;
}

}  // namespace

EnsembleFit fit_ensemble(Ensemble& ensemble, const FeatureSet& validation, const ScoreColumns& on_training,
                         const ScoreColumns& on_validation, SearchTarget target) {
    ensemble.weights.assign(ensemble.members.size(), 1 / static_cast<double>(ensemble.members.size()));
    const bool can_judge = has_both_classes(validation.label);
    if (!can_judge && (ensemble.method == EnsembleMethod::kStacking || ensemble.is_compat)) {
        throw JobError(
            "no_labels",
            "stacking and compat learn from normal and damaged sequences, and the validation "
            "split has " +
                std::to_string(validation.rows) +
                " labelled rows without both classes; give dataset, or use method weighted or max");
    }
    if (ensemble.is_compat) return fit_as_reference(ensemble, validation.label, on_validation, target);
    EnsembleFit fit;
    SequenceScores sequences;
    if (validation.rows > 0) sequences = group_by_sequence(validation);
    const ScoreColumns scaled = scaled_scores(ensemble, on_validation);
    if (ensemble.method == EnsembleMethod::kMax) {
        fit.weights_rule = "the largest counts, weights do not";
    } else if (ensemble.method == EnsembleMethod::kStacking) {
        stack(ensemble, scaled, sequences);
        fit.weights_rule = "logistic regression on the validation sequences";
    } else if (can_judge) {
        ensemble.weights = searched_weights(scaled, sequences);
        fit.weights_rule = "largest ROC AUC of the validation sequences";
    } else {
        fit.weights_rule = "equal: the validation split does not have both classes";
    }
    if (validation.rows > 0) {
        aggregate_scores(sequences, mixed_scores(ensemble, scaled), Aggregate::kMax);
    }
    fit.threshold = choose_threshold(sequences, ensemble_scores(ensemble, on_training));
    return fit;
}

}  // namespace nightshift::jobs
