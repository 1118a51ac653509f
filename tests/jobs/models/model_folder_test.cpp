#include "jobs/models/model_folder.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "jobs/models/feature_set.h"
#include "jobs/models/scorer.h"
#include "jobs/models/sequence_scores.h"
#include "jobs/runtime/job_impl.h"
#include "tests/jobs/models/table_features.h"
#include "tests/jobs/models/temporary_folder.h"

using namespace nightshift::jobs;
using nightshift::tests::features_of_table;
using nightshift::tests::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

Model small_model() {
    Model model;
    model.kind = "patchcore";
    model.features = {"speed_mean", "speed_max"};
    model.normalizer = fit_normalizer(std::vector<double>{0, 1, 2, 1, 4, 1}, 2);
    model.threshold = 0.1 + 0.2;
    model.threshold_rule = "by hand";
    model.settings_json = R"({"k": 1, "precision": "fp64"})";
    model.tensors.push_back({"bank", {2, 2}, std::vector<double>{0, 0, 1, 0}});
    return model;
}

std::string error_of(const auto& work) {
    try {
        work();
    } catch (const JobError& error) {
        return error.code() + ": " + error.what();
    }
    return "nothing thrown";
}

bool says(const std::string& text, std::string_view words) {
    return text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("model folder: what is written is read back") {
    const TemporaryFolder folder;
    write_model(small_model(), folder.path() / "model");
    const Model model = read_model(folder.path() / "model");
    CHECK(model.kind == "patchcore");
    CHECK(model.features == std::vector<std::string>{"speed_mean", "speed_max"});
    CHECK(model.threshold == 0.1 + 0.2);
    CHECK(std::get<std::vector<double>>(model.tensor("bank").values) == std::vector<double>{0, 0, 1, 0});
    REQUIRE(model.normalizer);
    CHECK(model.normalizer->mean == std::vector<double>{2, 1});
    CHECK(model.normalizer->deviation == std::vector<double>{2, 0});
    CHECK(model.normalizer->is_zeroed == std::vector<std::uint8_t>{0, 1});
}

TEST_CASE("model folder: damage is named with both hashes") {
    const TemporaryFolder folder;
    write_model(small_model(), folder.path() / "model");
    {
        std::fstream file(folder.path() / "model" / "bank.bin",
                          std::ios::in | std::ios::out | std::ios::binary);
        file.put('x');
    }
    const std::string error = error_of([&] { read_model(folder.path() / "model"); });
    CHECK(says(error, "hash_mismatch"));
    CHECK(says(error, "bank.bin"));
    CHECK(says(error, "model.json records"));
}

TEST_CASE("model folder: another folder says what is there instead") {
    const TemporaryFolder folder;
    CHECK(says(error_of([&] { read_model(folder.path() / "none"); }), "it does not exist"));
    CHECK(says(error_of([&] { read_model(folder.path()); }), "not_a_model"));
    std::ofstream(folder.path() / "features.csv") << "a\n1\n";
    CHECK(says(error_of([&] { read_model(folder.path()); }), "it has features.csv"));
    std::ofstream(folder.path() / "model.json") << "{";
    CHECK(says(error_of([&] { read_model(folder.path()); }), "bad_model"));
}

TEST_CASE("scorer: features of another set are refused by name") {
    Table table;
    table.add("speed_mean", std::vector<double>{1});
    table.add("speed_mx", std::vector<double>{1});
    const FeatureSet set = features_of_table(table, "other.csv");
    ScoreOptions options;
    options.name = "job:7";
    const std::string error = error_of([&] { score_rows(small_model(), set, options); });
    CHECK(says(error, "feature_mismatch"));
    CHECK(says(error, "job:7"));
    CHECK(says(error, "'speed_max'"));
    CHECK(says(error, "speed_mx"));
}

TEST_CASE("scorer: columns are found by name and normalised with the model's numbers") {
    Table table;
    table.add("speed_max", std::vector<double>{5, 5});
    table.add("other", std::vector<double>{9, 9});
    table.add("speed_mean", std::vector<double>{4, std::numeric_limits<double>::quiet_NaN()});
    const auto scores = score_rows(small_model(), features_of_table(table, "t.csv"), {});
    CHECK(scores == std::vector<double>{0, 0});  // (4 - 2) / 2 = 1 and missing = 0, both in the bank
    Model plain = small_model();
    plain.normalizer.reset();
    CHECK(says(error_of([&] { score_rows(plain, features_of_table(table, "t.csv"), {}); }),
               "row 1, column 'speed_mean'"));
}

TEST_CASE("feature set: descriptive columns are no features, splits and labels choose the training rows") {
    Table table;
    table.add("sequence", std::vector<std::string>{"a", "a", "b", "c", "d"});
    table.add("frame", std::vector<double>{0, 1, 0, 0, 0});
    table.add("label", std::vector<double>{0, 0, 1, 0, 0});
    table.add("split", std::vector<std::string>{"train", "train", "train", "val", "train"});
    table.add("speed_mean", std::vector<double>{1, 2, 3, 4, 5});
    const FeatureSet set = features_of_table(table, "t.csv");
    CHECK(set.names == std::vector<std::string>{"speed_mean"});
    CHECK(normal_training_rows(set) == std::vector<std::int64_t>{0, 1, 4});
    CHECK(rows_of(set, {4, 2}).values(0, 2) == std::vector<double>{5, 3});
    SequenceScores sequences = group_by_sequence(set);
    CHECK(sequences.name == std::vector<std::string>{"a", "b", "c", "d"});
    aggregate_scores(sequences, {1, 7, 2, 3, 4}, Aggregate::kMax);
    CHECK(sequences.score == std::vector<double>{7, 2, 3, 4});
    aggregate_scores(sequences, {1, 7, 2, 3, 4}, Aggregate::kMean);
    CHECK(sequences.score[0] == 4);
}

TEST_CASE("threshold: from the validation split, and it says when there is nothing to choose from") {
    SequenceScores sequences;
    const auto add = [&](double score, int label, Split split) {
        sequences.name.push_back("s");
        sequences.score.push_back(score);
        sequences.label.push_back(label);
        sequences.split.push_back(split);
    };
    add(100, 1, Split::kTest);
    add(1, 0, Split::kVal);
    add(2, 0, Split::kVal);
    CHECK(choose_threshold(sequences, {}).value == doctest::Approx(1.995));
    CHECK(says(choose_threshold(sequences, {}).rule, "no damaged sequence"));
    add(5, 1, Split::kVal);
    CHECK(choose_threshold(sequences, {}).value == 5);
    CHECK(choose_threshold({}, {0, 1}).value == doctest::Approx(0.95));
}
