#include "jobs/evaluate/compat_protocol.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

#include <nlohmann/json.hpp>

#include "jobs/evaluate/metrics.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

using nlohmann::ordered_json;

constexpr double kPrecisionMin = 0.997;

/// Python's round(value, 4): the decimal nearest to the exact value.
double rounded(double value) {
    char text[64];
    std::snprintf(text, sizeof text, "%.4f", value);
    return std::strtod(text, nullptr);
}

/// Rows of one split that belong to the question.
struct Part {
    std::vector<std::size_t> rows;
    std::vector<int> labels;

    bool has_both() const {
        const auto damaged = std::count(labels.begin(), labels.end(), 1);
        return damaged > 0 && damaged < static_cast<std::ptrdiff_t>(labels.size());
    }
    std::vector<double> scores_of(const CompatModel& model) const {
        std::vector<double> scores;
        for (const std::size_t row : rows) scores.push_back(model.scores[row]);
        return scores;
    }
};

Part part_of(const FeatureSet& set, const std::string& goal, Split split) {
    Part part;
    for (std::size_t row = 0; row < static_cast<std::size_t>(set.rows); ++row) {
        if (set.split[row] != split || (set.goal[row] != "normal" && set.goal[row] != goal)) continue;
        part.rows.push_back(row);
        part.labels.push_back(set.goal[row] == goal ? 1 : 0);
    }
    return part;
}

ordered_json with_threshold(const std::vector<int>& labels, const std::vector<double>& scores,
                            const kernels::ScoreSteps& steps) {
    const PrPoint best = best_f1(pr_curve(steps));
    const Confusion at = confusion_at(labels, scores, best.threshold);
    return {{"roc_auc", rounded(kernels::roc_auc(steps))},
            {"precision", rounded(at.precision())},
            {"recall", rounded(at.recall())},
            {"f1", rounded(at.f1())},
            {"pr_auc", rounded(kernels::pr_auc_trapezoid(steps))},
            {"best_threshold", rounded(best.threshold)}};
}

ordered_json matrix_of(const std::vector<int>& labels, const std::vector<char>& called) {
    std::int64_t count[2][2] = {};
    for (std::size_t i = 0; i < labels.size(); ++i) ++count[labels[i] == 1][called[i] != 0];
    return {{"confusion_matrix", {{count[0][0], count[0][1]}, {count[1][0], count[1][1]}}},
            {"tn", count[0][0]},
            {"fp", count[0][1]},
            {"fn", count[1][0]},
            {"tp", count[1][1]}};
}

/// A sequence counts as called when one of its rows is.
ordered_json hard_subset(const FeatureSet& set, const Part& test, const std::vector<char>& called,
                         const std::string& scenario, bool is_damaged) {
    std::map<std::string, bool> sequences;
    for (std::size_t i = 0; i < test.rows.size(); ++i) {
        const std::size_t row = test.rows[i];
        if (set.scenario[row] != scenario) continue;
        bool& is_called = sequences[set.sequence[row]];
        is_called = is_called || called[i] != 0;
    }
    const auto correct = std::count_if(sequences.begin(), sequences.end(),
                                       [&](const auto& entry) { return entry.second == is_damaged; });
    const auto count = static_cast<std::int64_t>(sequences.size());
    const double share = count == 0 ? 0 : static_cast<double>(correct) / static_cast<double>(count);
    return {{"n", count}, {is_damaged ? "correct_as_crack" : "correct_as_normal", correct}, {"acc", share}};
}

ordered_json hard_subsets(const FeatureSet& set, const Part& test, const std::vector<char>& called) {
    return {{"light_distortion", hard_subset(set, test, called, "light_distortion", false)},
            {"micro_crack", hard_subset(set, test, called, "micro_crack", true)}};
}

}  // namespace

std::string compat_name(const std::string& model_kind) {
    static const std::map<std::string, std::string> names{
        {"dream", "DREAM"}, {"patchcore", "PatchCore"}, {"temporal", "Temporal"}, {"ensemble", "Ensemble"}};
    const auto found = names.find(model_kind);
    return found == names.end() ? model_kind : found->second;
}

ordered_json compat_report(int goal, const FeatureSet& rows, const std::vector<CompatModel>& models) {
    const std::string name = "goal" + std::to_string(goal);
    const Part train = part_of(rows, name, Split::kTrain), test = part_of(rows, name, Split::kTest);
    if (!test.has_both()) {
        throw JobError("no_labels", rows.origin + ": protocol compat judges the rows of goal normal and " +
                                        name +
                                        " in the test split, and needs some of both; give the dataset that "
                                        "the features came from");
    }
    const auto damaged = std::count(test.labels.begin(), test.labels.end(), 1);
    ordered_json report{{"goal", name}, {"metric", "ML_anomaly_detection"}};
    if (goal == 1) report["target"] = "Precision-Recall maximization for bending-in-process crack";
    report["n_train"] = train.rows.size();
    report["n_test"] = test.rows.size();
    if (goal == 1) {
        report["n_crack_test"] = damaged;
        report["n_normal_test"] = static_cast<std::int64_t>(test.rows.size()) - damaged;
    }
    report["models"] = ordered_json::object();
    for (const CompatModel& model : models) {
        const std::vector<double> scores = test.scores_of(model);
        const kernels::ScoreSteps steps = kernels::score_steps(test.labels, scores);
        report["models"][model.name] =
            goal == 1 ? with_threshold(test.labels, scores, steps)
                      : ordered_json{{"roc_auc", rounded(kernels::roc_auc(steps))},
                                     {"pr_auc", rounded(kernels::pr_auc_trapezoid(steps))}};
    }
    return report;
}

ordered_json compat_analysis(const FeatureSet& rows, const std::vector<CompatModel>& models) {
    const Part val = part_of(rows, "goal1", Split::kVal), test = part_of(rows, "goal1", Split::kTest);
    if (!val.has_both() || !test.has_both()) return ordered_json::object();
    const auto damaged = std::count(test.labels.begin(), test.labels.end(), 1);
    ordered_json report{{"n_test", test.rows.size()},
                        {"n_normal", static_cast<std::int64_t>(test.rows.size()) - damaged},
                        {"n_crack", damaged},
                        {"models", ordered_json::object()},
                        {"hard_subset_metrics", ordered_json::object()}};
    std::map<std::string, std::vector<char>> decisions;
    const auto add = [&](const std::string& name, double auc, double threshold, const char* criterion) {
        ordered_json entry{
            {"roc_auc", auc}, {"best_threshold", threshold}, {"threshold_criterion", criterion}};
        entry.update(matrix_of(test.labels, decisions.at(name)));
        report["models"][name] = std::move(entry);
        report["hard_subset_metrics"][name] = hard_subsets(rows, test, decisions.at(name));
    };
    for (const CompatModel& model : models) {
        const double threshold =
            precision_first(pr_curve(kernels::score_steps(val.labels, val.scores_of(model))), kPrecisionMin,
                            0)
                .threshold;
        const std::vector<double> scores = test.scores_of(model);
        std::vector<char>& called = decisions[model.name];
        for (const double score : scores) called.push_back(score >= threshold ? 1 : 0);
        add(model.name, roc_auc(test.labels, scores), threshold, "precision_priority (val)");
    }
    if (decisions.contains("DREAM") && decisions.contains("PatchCore") && !decisions.contains("Ensemble")) {
        std::vector<char> both = decisions.at("DREAM");
        for (std::size_t i = 0; i < both.size(); ++i)
            both[i] = both[i] && decisions.at("PatchCore")[i] ? 1 : 0;
        decisions["Ensemble"] = std::move(both);
        add("Ensemble", 0, 0, "both_agree");
    }
    return report;
}

}  // namespace nightshift::jobs
