#include "jobs/evaluate/compat_protocol.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "jobs/runtime/job_impl.h"

using namespace nightshift::jobs;

namespace {

struct Row {
    const char* sequence;
    const char* goal;
    const char* scenario;
    Split split;
    double dream, patchcore;
};

/// Two rows a sequence. Rows of goal 2 and variants are there to be left out.
const std::vector<Row> kRows{
    {"n1", "normal", "normal", Split::kTrain, 0.1, 0.1},
    {"n1", "normal", "normal", Split::kTrain, 0.1, 0.1},
    {"c1", "goal1", "crack", Split::kTrain, 9, 9},
    {"n2", "normal", "normal", Split::kVal, 1, 1},
    {"c2", "goal1", "crack", Split::kVal, 2, 3},
    {"c2", "goal1", "crack", Split::kVal, 0.5, 0.5},
    {"p1", "goal2", "pre_damage", Split::kVal, 8, 8},
    {"n3", "normal", "normal", Split::kTest, 0.2, 0.2},
    {"n3", "normal", "normal", Split::kTest, 0.3, 3.5},
    {"l1", "normal", "light_distortion", Split::kTest, 2.5, 0.3},
    {"m1", "goal1", "micro_crack", Split::kTest, 4, 4},
    {"m1", "goal1", "micro_crack", Split::kTest, 1.5, 0.25},
    {"t1", "variant", "thick_panel", Split::kTest, 7, 7},
    {"p2", "goal2", "pre_damage", Split::kTest, 1 / 3.0, 6},
};

FeatureSet rows() {
    FeatureSet set;
    set.names = {"x"};
    set.put_values({1, std::vector<double>(kRows.size())});
    set.origin = "features.csv";
    for (const Row& row : kRows) {
        set.sequence.push_back(row.sequence);
        set.goal.push_back(row.goal);
        set.scenario.push_back(row.scenario);
        set.split.push_back(row.split);
        set.frame.push_back(0);
        set.label.push_back(row.goal[0] == 'g' ? 1 : 0);
        set.event_frame.push_back(-1);
    }
    return set;
}

std::vector<CompatModel> models() {
    std::vector<CompatModel> models{{"DREAM", {}}, {"PatchCore", {}}};
    for (const Row& row : kRows) {
        models[0].scores.push_back(row.dream);
        models[1].scores.push_back(row.patchcore);
    }
    return models;
}

}  // namespace

TEST_CASE("protocol compat: goal 1 counts rows and takes the threshold of the test rows") {
    const auto report = compat_report(1, rows(), models());
    CHECK(report.dump() ==
          R"({"goal":"goal1","metric":"ML_anomaly_detection",)"
          R"("target":"Precision-Recall maximization for bending-in-process crack",)"
          R"("n_train":3,"n_test":5,"n_crack_test":2,"n_normal_test":3,"models":{)"
          // Scores .2 .3 2.5 | 4 1.5: five of six pairs in order; at 1.5 two of three calls are right.
          R"("DREAM":{"roc_auc":0.8333,"precision":0.6667,"recall":1.0,"f1":0.8,"pr_auc":0.7917,)"
          R"("best_threshold":1.5},)"
          // Two thresholds are as good: the lower one.
          R"("PatchCore":{"roc_auc":0.6667,"precision":0.5,"recall":1.0,"f1":0.6667,"pr_auc":0.7083,)"
          R"("best_threshold":0.25}}})");
}

TEST_CASE("protocol compat: goal 2 has areas alone") {
    const auto report = compat_report(2, rows(), models());
    CHECK(report.at("n_train") == 2);
    CHECK(report.at("n_test") == 4);
    CHECK_FALSE(report.contains("target"));
    CHECK_FALSE(report.contains("n_crack_test"));
    CHECK(report.at("models").at("DREAM").dump() == R"({"roc_auc":0.6667,"pr_auc":0.25})");
    CHECK(report.at("models").at("PatchCore").dump() == R"({"roc_auc":1.0,"pr_auc":1.0})");
}

TEST_CASE("protocol compat: the analysis takes its threshold from the validation rows") {
    const auto report = compat_analysis(rows(), models());
    CHECK(report.at("n_test") == 5);
    const auto& dream = report.at("models").at("DREAM");
    CHECK(dream.at("best_threshold") == 2);
    CHECK(dream.at("threshold_criterion") == "precision_priority (val)");
    CHECK(dream.at("confusion_matrix").dump() == "[[2,1],[1,1]]");
    CHECK(report.at("models").at("PatchCore").at("confusion_matrix").dump() == "[[2,1],[1,1]]");
    CHECK(report.at("models").at("Ensemble").dump() ==
          R"({"roc_auc":0.0,"best_threshold":0.0,"threshold_criterion":"both_agree",)"
          R"("confusion_matrix":[[3,0],[1,1]],"tn":3,"fp":0,"fn":1,"tp":1})");
    CHECK(report.at("hard_subset_metrics").at("DREAM").dump() ==
          R"({"light_distortion":{"n":1,"correct_as_normal":0,"acc":0.0},)"
          R"("micro_crack":{"n":1,"correct_as_crack":1,"acc":1.0}})");
}

TEST_CASE("protocol compat: without both classes there is nothing to judge") {
    FeatureSet set = rows();
    set.goal = Words(set.goal.size(), "normal");
    CHECK_THROWS_AS(compat_report(1, set, models()), JobError);
    CHECK(compat_analysis(set, models()).empty());
}
