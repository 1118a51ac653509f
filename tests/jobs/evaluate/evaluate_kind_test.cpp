#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <random>
#include <string>

#include <nlohmann/json.hpp>

#include "jobs/evaluate/metrics.h"
#include "jobs/kinds.h"
#include "jobs/table/table.h"
#include "tests/jobs/models/fake_context.h"
#include "tests/jobs/models/temporary_folder.h"

using namespace nightshift::jobs;
using nightshift::tests::FakeContext;
using nightshift::tests::TemporaryFolder;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// 300 sequences: damaged ones are shifted in two features. With `leak` a third feature is the label.
fs::path write_features(const fs::path& folder, bool has_leak = false) {
    std::mt19937_64 generator(11);
    std::normal_distribution<double> normal;
    std::vector<std::string> sequence, split, scenario, goal;
    std::vector<double> label, one, two, three;
    for (int i = 0; i < 300; ++i) {
        const bool is_crack = i % 5 == 0, is_old = i % 5 == 1, is_thick = i % 10 == 2;
        sequence.push_back("s<" + std::to_string(i) + ">");
        split.push_back(i % 4 == 0 ? "test" : i % 4 == 1 ? "val" : "train");
        scenario.push_back(is_crack ? "crack" : is_old ? "pre_damage" : is_thick ? "thick_panel" : "normal");
        goal.push_back(is_crack ? "goal1" : is_old ? "goal2" : is_thick ? "variant" : "normal");
        label.push_back(is_crack || is_old ? 1 : 0);
        one.push_back(normal(generator) + (is_crack ? 2 : is_old ? 1 : 0));
        two.push_back(normal(generator) + (is_crack ? 1.5 : 0));
        three.push_back(has_leak ? label.back() : normal(generator));
    }
    Table table;
    table.add("sequence", sequence);
    table.add("split", split);
    table.add("scenario", scenario);
    table.add("goal", goal);
    table.add("label", label);
    table.add("kink", one);
    table.add("shock", two);
    table.add("wobble", three);
    write_table(table, folder / "features.csv", TableFormat::kCsv);
    return folder / "features.csv";
}

void run(const char* kind, const json& params, FakeContext& context) {
    const Kind* found = find_kind(kind);
    REQUIRE(found != nullptr);
    found->make(complete_params(*found, params))->run(context);
}

json read_report(const FakeContext& context) {
    return json::parse(std::ifstream(context.output() / "report.json"));
}

std::string read_page(const FakeContext& context) {
    std::ifstream in(context.output() / "report.html", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

fs::path trained(const fs::path& root, const fs::path& features) {
    FakeContext context(root);
    run("train.patchcore", {{"features", features.string()}, {"bank", 50}, {"k", 3}}, context);
    return context.output() / "model";
}

bool has_finding(const json& report, const std::string& grade, const std::string& words) {
    for (const json& each : report.at("findings")) {
        if (each.at("grade") == grade && each.at("en").get<std::string>().find(words) != std::string::npos)
            return true;
    }
    return false;
}

}  // namespace

TEST_CASE("evaluate: a model against test sequences, baselines and the leak guard") {
    const TemporaryFolder folder;
    const fs::path features = write_features(folder.path());
    const fs::path model = trained(folder.path() / "train", features);
    FakeContext context(folder.path() / "evaluate");
    run("evaluate", {{"features", features.string()}, {"models", model.string()}, {"goal", 1}}, context);
    const json report = read_report(context);
    CHECK(report.at("protocol") == "honest");
    CHECK(report.at("goal") == "1");
    const json& result = report.at("models").at("patchcore");
    // Of 75 test sequences 15 are cracks, 15 old damage (another goal), 7 or 8 thick (shown, not counted).
    CHECK(result.at("n_damaged") == 15);
    CHECK(result.at("n_normal").get<int>() + 15 == report.at("n_test").get<int>());
    CHECK(result.at("roc_auc").get<double>() > 0.8);
    CHECK(result.at("roc_auc_interval").at(0).get<double>() < result.at("roc_auc").get<double>());
    CHECK(result.at("threshold_rule") == "largest F1 on the validation split");
    CHECK(result.at("groups").contains("crack"));
    CHECK(!result.at("groups").contains("pre_damage"));
    CHECK(result.at("groups").at("thick_panel").at("in_goal") == false);
    const json& matrix = result.at("confusion_matrix");
    CHECK(matrix.at(1).at(0).get<int>() + matrix.at(1).at(1).get<int>() == 15);
    CHECK(report.at("baselines").at("logistic regression").at("roc_auc").get<double>() > 0.9);
    CHECK(report.at("baselines").at("best single feature").at("note") == "kink");
    CHECK(report.at("leak_guard").at("passed") == true);
    CHECK(report.at("leak_guard").at("shuffled_labels_roc_auc").get<double>() < 0.55);
    REQUIRE(!result.at("follows").empty());
    CHECK(result.at("follows").at(0).at("spearman").get<double>() <= 1);
    const Table scores = read_table(context.output() / "scores.csv");
    CHECK(scores.rows() == 300);
    CHECK(context.artifacts.at("report.html") == "report");
}

TEST_CASE("evaluate: thresholds do not look at the test split") {
    const TemporaryFolder folder;
    const fs::path features = write_features(folder.path());
    const fs::path model = trained(folder.path() / "train", features);
    const auto threshold_with = [&](bool is_flipped) {
        Table table = read_table(features), changed;
        for (const Column& column : table.columns()) {
            if (column.name != "label" || !is_flipped) {
                changed.add(column.name, column.values);
                continue;
            }
            std::vector<double> labels = table.numbers("label");
            const std::vector<std::string> splits = table.text("split");
            for (std::size_t i = 0; i < labels.size(); ++i) {
                if (splits[i] == "test") labels[i] = 1 - labels[i];
            }
            changed.add("label", labels);
        }
        const fs::path file = folder.path() / (is_flipped ? "flipped.csv" : "same.csv");
        write_table(changed, file, TableFormat::kCsv);
        FakeContext context(folder.path() / (is_flipped ? "flipped" : "same"));
        run("evaluate",
            {{"features", file.string()}, {"models", model.string()}, {"goal", "all"}, {"baselines", false}},
            context);
        return read_report(context).at("models").at("patchcore").at("threshold").get<double>();
    };
    CHECK(threshold_with(false) == threshold_with(true));
}

TEST_CASE("evaluate: a column that gives the answer away is named as a warning") {
    const TemporaryFolder folder;
    const fs::path features = write_features(folder.path(), true);
    const fs::path model = trained(folder.path() / "train", features);
    FakeContext context(folder.path() / "evaluate");
    run("evaluate", {{"features", features.string()}, {"models", {model.string()}}, {"goal", "all"}},
        context);
    const json report = read_report(context);
    CHECK(report.at("leak_guard").at("passed") == false);
    CHECK(report.at("leak_guard").at("single_features").at(0).at("feature") == "wobble");
    CHECK(has_finding(report, "warning", "wobble has ROC AUC 1.000"));
    CHECK(read_page(context).find("wobble") != std::string::npos);
}

TEST_CASE("evaluate: the report is one page without anything from outside") {
    const TemporaryFolder folder;
    const fs::path features = write_features(folder.path());
    const fs::path model = trained(folder.path() / "train", features);
    FakeContext context(folder.path() / "evaluate");
    run("evaluate", {{"features", features.string()}, {"models", model.string()}}, context);
    const std::string page = read_page(context);
    for (const char* word :
         {"<script", "http:", "https:", "src=", "href=", "@import", "javascript:", "onload", "s<1"}) {
        CAPTURE(word);
        CHECK(page.find(word) == std::string::npos);
    }
    for (const char* word :
         {"<svg", "혼동 행렬", "confusion matrix", "ROC", "시나리오별", "s&lt;", "class=\"normal\"",
          "class=\"damaged\"", "what the models look at", "goal cpd"}) {
        CAPTURE(word);
        CHECK(page.find(word) != std::string::npos);
    }
}

TEST_CASE("evaluate: a plain table with label, group and score columns") {
    const TemporaryFolder folder;
    Table table;
    table.add("damaged", std::vector<double>{0, 0, 1, 1, 0, 1});
    table.add("line", std::vector<std::string>{"a", "a", "a", "b", "b", "b"});
    table.add("score", std::vector<double>{0.1, 0.4, 0.35, 0.8, 0.2, 0.9});
    table.add("other", std::vector<double>{0, 1, 0, 1, 0, 1});
    write_table(table, folder.path() / "t.csv", TableFormat::kCsv);
    FakeContext context(folder.path() / "out");
    run("evaluate",
        {{"features", (folder.path() / "t.csv").string()},
         {"label", "damaged"},
         {"group", "line"},
         {"scores", {"score", "other"}}},
        context);
    const json report = read_report(context);
    const json& result = report.at("models").at("score");
    CHECK(result.at("roc_auc").get<double>() == doctest::Approx(8.0 / 9).epsilon(1e-12));
    CHECK(result.at("threshold") == 0.35);
    CHECK(result.at("confusion_matrix") == json{{2, 1}, {0, 3}});
    CHECK(result.at("f1").get<double>() == doctest::Approx(6.0 / 7));
    CHECK(result.at("groups").at("b").at("recall") == doctest::Approx(2.0 / 3));
    CHECK(report.at("models").contains("other"));
    CHECK(has_finding(report, "note", "no validation split"));
}

TEST_CASE("evaluate: protocol compat judges rows of the table by a column of scores") {
    const TemporaryFolder folder;
    FakeContext context(folder.path());
    run("evaluate",
        {{"features", write_features(folder.path()).string()}, {"scores", "kink"}, {"protocol", "compat"}},
        context);
    const json report = read_report(context);
    CHECK(report.at("goal") == "goal1");
    // Of 300 every fourth is tested; of those a fifth is cracked, a fifth is of goal 2, 15 are variants.
    CHECK(report.at("n_test") ==
          report.at("n_crack_test").get<int>() + report.at("n_normal_test").get<int>());
    CHECK(report.at("n_crack_test") == 15);
    const double auc = report.at("models").at("kink").at("roc_auc");
    CHECK(auc > 0.85);
    CHECK(auc < 1);
    CHECK(context.artifacts.at("analysis.json") == "report");
    CHECK(fs::exists(context.output() / "scores.csv"));
}

TEST_CASE("evaluate: what cannot be done is refused with a way out") {
    const TemporaryFolder folder;
    const fs::path features = write_features(folder.path());
    FakeContext context(folder.path() / "out");
    CHECK_THROWS_WITH_AS(
        run("evaluate",
            {{"features", features.string()}, {"scores", "kink"}, {"protocol", "compat"}, {"goal", "all"}},
            context),
        doctest::Contains("use protocol honest"), JobError);
    CHECK_THROWS_WITH_AS(run("evaluate", {{"features", features.string()}}, context),
                         doctest::Contains("nothing to judge"), JobError);
    Table table;
    table.add("score", std::vector<double>{1, 2});
    table.add("damaged", std::vector<double>{0, 0});
    write_table(table, folder.path() / "t.csv", TableFormat::kCsv);
    const std::string plain = (folder.path() / "t.csv").string();
    CHECK_THROWS_WITH_AS(run("evaluate", {{"features", plain}, {"scores", "score"}}, context),
                         doctest::Contains("label has to"), JobError);
    CHECK_THROWS_WITH_AS(
        run("evaluate", {{"features", plain}, {"scores", "score"}, {"label", "damaged"}}, context),
        doctest::Contains("both classes are needed"), JobError);
}
