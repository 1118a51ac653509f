#include "jobs/models/train_supervised.h"

#include <algorithm>
#include <fstream>

#include "jobs/evaluate/metrics.h"
#include "jobs/models/model_folder.h"
#include "jobs/torch/torch_supervised_engine.h"
#include "tests/jobs/models/supervised_case.h"
#include "tests/jobs/models/training_checks.h"

using namespace nightshift::tests;
using nlohmann::json;

namespace {

/// Runs the kind on LibTorch to its end, yielding at the given steps; its files.
std::map<std::string, std::string> train_supervised(
    const fs::path& root, const json& params, const std::vector<std::int64_t>& yields = {},
    nightshift::Bytes rows_held = nightshift::mebibytes(128)) {
    const json complete = complete_params(*find_kind("train.supervised"), params);
    fs::path resume;
    for (std::size_t attempt = 0;; ++attempt) {
        FakeContext context(root / std::to_string(attempt));
        context.rows_held = rows_held;
        if (!resume.empty()) context.resume = resume;
        if (attempt < yields.size()) context.yield_at = yields[attempt];
        try {
            make_train_supervised(complete, make_torch_supervised_engine)->run(context);
            CHECK(attempt == yields.size());
            CHECK(context.artifacts.at("model") == "model");
            REQUIRE(!context.reports.empty());
            CHECK(context.reports.back().metrics.back().first == "val_roc_auc");
            return files_of(context.output());
        } catch (const StopRequested& stop) {
            REQUIRE(stop.is_yield);
            resume = context.saved();
        }
    }
}

std::vector<double> scores_of(const fs::path& root, const json& params) {
    FakeContext context(root);
    run_kind("score", params, context);
    return read_table(context.output() / "scores.csv").numbers("score");
}

json report_of(const fs::path& root, const json& params) {
    FakeContext context(root);
    run_kind("evaluate", params, context);
    return json::parse(std::ifstream(context.output() / "report.json"));
}

}  // namespace

TEST_CASE("train.supervised: learns what no line can, and the report says by how much") {
    const TemporaryFolder folder;
    const fs::path file = write_csv(xor_table(800), folder.path() / "features.csv");
    const auto files = train_supervised(
        folder.path() / "a", {{"features", file.string()}, {"epochs", 40}, {"batch", 32}, {"lr", 0.005}});
    CHECK(files.contains("curves.csv"));
    const fs::path model = folder.path() / "a/0/output/model";
    CHECK(read_model(model).threshold_rule == "largest F1 on the validation split");
    const json report = report_of(
        folder.path() / "e", {{"features", file.string()}, {"models", model.string()}, {"label", "label"}});
    const json& own = report.at("models").at("supervised");
    CHECK(own.at("roc_auc").get<double>() > 0.95);
    CHECK(report.at("baselines").at("logistic regression").at("roc_auc").get<double>() < 0.7);
    const json& against = own.at("against_logistic_regression");
    CHECK(against.at("verdict") == "better");
    CHECK(against.at("difference").get<double>() ==
          doctest::Approx(own.at("roc_auc").get<double>() - against.at("roc_auc").get<double>()));
    CHECK(against.at("difference_interval").at(0).get<double>() > 0);
    bool is_told = false;
    for (const json& each : report.at("findings")) {
        is_told = is_told ||
                  each.at("en").get<std::string>().find("beats logistic regression") != std::string::npos;
    }
    CHECK(is_told);
}

TEST_CASE("train.supervised: preempted and resumed ends with the bits of an undisturbed run") {
    const TemporaryFolder folder;
    const fs::path file = write_csv(xor_table(120), folder.path() / "features.csv");
    // 60 training rows: 3 batches an epoch, 3 epochs.
    const json params{{"features", file.string()}, {"epochs", 3}, {"batch", 25}};
    const auto undisturbed = train_supervised(folder.path() / "a", params);
    std::mt19937_64 generator(seed());
    const auto any = static_cast<std::int64_t>(generator() % 9);
    CAPTURE(any);
    // Before the first step, inside an epoch, before its validation, at the end, twice at one step, anywhere.
    const std::vector<std::vector<std::int64_t>> cases{{0}, {1}, {3}, {8}, {4, 4}, {1, 5, 8}, {any}};
    for (std::size_t i = 0; i < cases.size(); ++i) {
        CAPTURE(i);
        CHECK(train_supervised(folder.path() / ("b" + std::to_string(i)), params, cases[i]) == undisturbed);
    }
    // Rows in a file are the same rows.
    CHECK(train_supervised(folder.path() / "f", params, {4}, nightshift::Bytes{}) == undisturbed);
    json other = params;
    other["seed"] = 43;
    CHECK(train_supervised(folder.path() / "c", other) != undisturbed);
}

TEST_CASE("train.supervised: a checkpoint of other data or parameters is refused") {
    const TemporaryFolder folder;
    const fs::path file = write_csv(xor_table(120), folder.path() / "features.csv");
    json params =
        complete_params(*find_kind("train.supervised"), {{"features", file.string()}, {"epochs", 3}});
    FakeContext first(folder.path() / "a");
    first.yield_at = 2;
    CHECK_THROWS_AS(make_train_supervised(params, make_torch_supervised_engine)->run(first), StopRequested);
    FakeContext second(folder.path() / "b");
    second.resume = first.saved();
    params["lr"] = 0.02;
    CHECK_THROWS_WITH_AS(make_train_supervised(params, make_torch_supervised_engine)->run(second),
                         doctest::Contains("other features or parameters"), JobError);
}

TEST_CASE("train.supervised: the test split is never looked at") {
    const TemporaryFolder folder;
    const Table table = xor_table(120);
    const auto model_of = [&](const std::string& name, const Table& data) {
        const fs::path file = write_csv(data, folder.path() / name / "features.csv");
        return train_supervised(folder.path() / name, {{"features", file.string()}, {"epochs", 3}});
    };
    const auto before = model_of("a", table);
    const auto is_test = [](std::size_t row) { return row % 4 == 0; };
    const auto flipped = with_changed(
        table, "label", [&](std::size_t r, double value) { return is_test(r) ? 1 - value : value; });
    CHECK(model_of("b", flipped) == before);
    CHECK(model_of("c", with_changed(table, "one", [&](std::size_t r, double value) {
                       return is_test(r) ? 1e6 : value;
                   })) == before);
    CHECK(model_of("d", with_changed(table, "one", [&](std::size_t r, double value) {
                       return r == 1 ? value + 1 : value;
                   })) != before);  // a validation row chooses epoch and threshold
}

TEST_CASE("train.supervised: cells without a number are named") {
    const TemporaryFolder folder;
    const fs::path file =
        write_csv(with_changed(xor_table(120), "two",
                               [](std::size_t r, double value) { return r == 2 ? std::nan("") : value; }),
                  folder.path() / "features.csv");
    CHECK_THROWS_WITH_AS(train_supervised(folder.path() / "a", {{"features", file.string()}}),
                         doctest::Contains("column 'two' is empty or not finite"), JobError);
}

TEST_CASE("train.supervised: with map it learns from tracks, resumes, scores, and joins an ensemble") {
    const TemporaryFolder folder;
    const PanelCase panels(folder.path());
    const json inputs{{"features", panels.features.string()}, {"dataset", panels.dataset.string()}};
    json params = inputs;
    params.update({{"epochs", 2}, {"batch", 30}, {"width", 16}, {"map", true}});
    const auto undisturbed = train_supervised(folder.path() / "a", params);
    CHECK(undisturbed.contains("model/map.2.weight.bin"));
    CHECK(undisturbed.contains("model/scenario.weight.bin"));
    CHECK(train_supervised(folder.path() / "b", params, {1, 2}) == undisturbed);
    const fs::path model = folder.path() / "a/0/output/model";
    json score{{"model", model.string()}};
    score.update(inputs);
    const std::vector<double> scores = scores_of(folder.path() / "s1", score);
    CHECK(scores.size() == 116);
    CHECK(std::adjacent_find(scores.begin(), scores.end(), std::not_equal_to<>()) != scores.end());
    score.erase("features");  // extracted and mapped by the job itself
    CHECK(scores_of(folder.path() / "s2", score) == scores);
    score = {{"model", model.string()}, {"features", panels.features.string()}};
    CHECK_THROWS_WITH_AS(scores_of(folder.path() / "s3", score), doctest::Contains("dataset"), JobError);

    json without = params;
    without.erase("map");
    CHECK(!train_supervised(folder.path() / "c", without).contains("model/map.0.weight.bin"));
    json joined = inputs;
    CHECK_THROWS_WITH_AS(
        train_supervised(folder.path() / "f", {{"features", panels.features.string()}, {"map", true}}),
        doctest::Contains("map: true needs the tracks"), JobError);
    joined.update({{"models", {model.string(), (folder.path() / "c/0/output/model").string()}}});
    FakeContext context(folder.path() / "d");
    run_kind("train.ensemble", joined, context);
    json judged = inputs;
    judged.update({{"models", {(context.output() / "model").string()}}, {"goal", "all"}});
    const json report = report_of(folder.path() / "e", judged);
    CHECK(report.at("models")
              .at("ensemble")
              .at("best_member")
              .at("name")
              .get<std::string>()
              .starts_with("supervised"));
}

TEST_CASE("train.supervised: features of another data set are refused by name") {
    const TemporaryFolder folder;
    const PanelCase panels(folder.path() / "one");
    FakeContext other(folder.path() / "two");
    run_kind("generate", {{"counts", {{"normal", 3}}}}, other);
    CHECK_THROWS_WITH_AS(
        train_supervised(folder.path() / "a", {{"features", panels.features.string()},
                                               {"dataset", (other.output() / "dataset").string()}}),
        doctest::Contains("is not in the data set"), JobError);
}
