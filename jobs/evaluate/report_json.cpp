#include "jobs/evaluate/report_json.h"

#include <nlohmann/json.hpp>

namespace nightshift::jobs {
namespace {

using Json = nlohmann::ordered_json;

/// Features that the leak guard lists.
constexpr std::size_t kFeaturesShown = 20;

Json to_json(const Interval& interval) {
    return {interval.low, interval.high};
}

Json to_json(const GroupResult& group) {
    Json out{{"n", group.count},
             {"is_damaged", group.is_damaged},
             {"in_goal", !group.is_outside},
             {"called", group.called}};
    const double share = static_cast<double>(group.called) / static_cast<double>(group.count);
    if (group.is_damaged) {
        out["roc_auc"] = group.roc_auc;
        out["roc_auc_interval"] = to_json(group.interval);
        out["average_precision"] = group.average_precision;
        out["recall"] = share;
    } else {
        out["false_positive_rate"] = share;
    }
    return out;
}

Json names_of(const Units& units, const std::vector<std::size_t>& which, const std::vector<double>& scores) {
    Json out = Json::array();
    for (const std::size_t u : which) {
        out.push_back({{"name", units.name[u]}, {"group", units.group[u]}, {"score", scores[u]}});
    }
    return out;
}

Json to_json(const Comparison& other) {
    return {{"name", other.name},
            {"roc_auc", other.roc_auc},
            {"difference", other.difference},
            {"difference_interval", to_json(other.interval)},
            {"verdict", other.is_better()  ? "better"
                        : other.is_worse() ? "worse"
                                           : "equal"}};
}

Json to_json(const ModelResult& model, const Units& units) {
    const Confusion& c = model.confusion;
    Json out{{"note", model.note},
             {"n_damaged", model.damaged},
             {"n_normal", model.normal},
             {"roc_auc", model.roc_auc},
             {"roc_auc_interval", to_json(model.interval)},
             {"average_precision", model.average_precision},
             {"pr_auc", model.pr_auc_trapezoid},
             {"threshold", model.threshold},
             {"threshold_rule", model.threshold_rule_en},
             {"confusion_matrix", {{c.true_negative, c.false_positive}, {c.false_negative, c.true_positive}}},
             {"tn", c.true_negative},
             {"fp", c.false_positive},
             {"fn", c.false_negative},
             {"tp", c.true_positive},
             {"precision", c.precision()},
             {"recall", c.recall()},
             {"f1", c.f1()},
             {"false_positive_rate", c.false_positive_rate()},
             {"recall_at_precision_0.95", model.recall_at_precision_95},
             {"recall_at_precision_0.997", model.recall_at_precision_997}};
    if (model.best_member) out["best_member"] = to_json(*model.best_member);
    if (model.against_line) out["against_logistic_regression"] = to_json(*model.against_line);
    Json groups = Json::object();
    for (const GroupResult& group : model.groups) groups[group.group] = to_json(group);
    out["groups"] = groups;
    Json follows = Json::array();
    for (const FollowedFeature& each : model.follows)
        follows.push_back({{"feature", each.name}, {"spearman", each.correlation}});
    if (!follows.empty()) out["follows"] = follows;
    out["false_alarms"] = names_of(units, model.false_alarms, model.scores);
    out["misses"] = names_of(units, model.misses, model.scores);
    return out;
}

Json to_json(const LeakReport& leak) {
    Json features = Json::array();
    for (std::size_t i = 0; i < std::min(leak.features.size(), kFeaturesShown); ++i) {
        features.push_back({{"feature", leak.features[i].feature}, {"roc_auc", leak.features[i].roc_auc}});
    }
    return {{"passed", leak.is_clean()},
            {"single_feature_limit", kSingleFeatureAucMax},
            {"single_feature_passed", !leak.is_feature_leak},
            {"single_features", features},
            {"shuffled_labels_limit", kShuffledAucMax},
            {"shuffled_labels_passed", !leak.is_shuffle_leak},
            {"shuffled_labels_roc_auc", leak.shuffled_roc_auc},
            {"shuffled_labels_standard_error", leak.shuffled_standard_error},
            {"shuffles", leak.shuffles},
            {"repeated_rows", leak.repeated_rows}};
}

const char* to_word(Finding::Grade grade) {
    switch (grade) {
        case Finding::Grade::kGood:
            return "good";
        case Finding::Grade::kNote:
            return "note";
        case Finding::Grade::kWarning:
            return "warning";
    }
    return "note";
}

}  // namespace

Json report_json(const Evaluation& evaluation, const std::vector<Finding>& findings) {
    Json models = Json::object(), baselines = Json::object();
    for (const ModelResult& model : evaluation.models) {
        (model.is_baseline ? baselines : models)[model.name] = to_json(model, evaluation.units);
    }
    Json list = Json::array();
    for (const Finding& each : findings) {
        list.push_back({{"grade", to_word(each.grade)}, {"en", each.en}, {"ko", each.ko}});
    }
    return {{"goal", evaluation.goal},
            {"protocol", "honest"},
            {"level", evaluation.units.noun_en},
            {"source", evaluation.source},
            {"has_validation_split", evaluation.has_split},
            {"n_test", evaluation.judged},
            {"models", models},
            {"baselines", baselines},
            {"leak_guard", evaluation.leak ? to_json(*evaluation.leak) : Json(nullptr)},
            {"findings", list}};
}

}  // namespace nightshift::jobs
