#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <random>

#include "jobs/evaluate/metrics.h"
#include "jobs/models/model_folder.h"
#include "jobs/models/sequence_scores.h"
#include "jobs/models/temporal_model.h"
#include "tests/jobs/models/sequence_table.h"
#include "tests/jobs/models/table_features.h"
#include "tests/jobs/models/temporary_folder.h"
#include "tests/support/seed.h"

using namespace nightshift::jobs;
using namespace nightshift::tests;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

json params_for(const fs::path& features, const char* cell) {
    return {{"features", features.string()},
            {"cell", cell},
            {"window", 6},
            {"hidden", 5},
            {"epochs", 3},
            {"batch", 16},
            {"lr", 0.01}};
}

std::map<std::string, std::string> contents_of(const fs::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream in(entry.path(), std::ios::binary);
        files[fs::relative(entry.path(), folder).string()] = {std::istreambuf_iterator<char>(in), {}};
    }
    return files;
}

/// Runs to the end, yielding once at each of the given steps; the files it leaves.
std::map<std::string, std::string> trained(const fs::path& root, const json& params,
                                           const std::vector<std::int64_t>& yields,
                                           nightshift::Bytes rows_held = nightshift::mebibytes(128)) {
    fs::path resume;
    for (std::size_t attempt = 0;; ++attempt) {
        FakeContext context(root / std::to_string(attempt));
        context.rows_held = rows_held;
        if (!resume.empty()) context.resume = resume;
        if (attempt < yields.size()) context.yield_at = yields[attempt];
        try {
            run_kind("train.temporal", params, context);
            CHECK(attempt == yields.size());
            return contents_of(context.output());
        } catch (const StopRequested& stop) {
            REQUIRE(stop.is_yield);
            resume = context.saved();
        }
    }
}

}  // namespace

TEST_CASE("train.temporal: preempted and resumed ends with the bits of an undisturbed run") {
    const TemporaryFolder folder;
    const fs::path features = write_waves(folder.path(), 12);
    for (const char* cell : {"lstm", "gru"}) {
        CAPTURE(cell);
        const json params = params_for(features, cell);
        const auto undisturbed = trained(folder.path() / cell / "a", params, {});
        CHECK(undisturbed.contains("model/model.json"));
        CHECK(undisturbed.contains("model/encoder.weight_ih_l0.bin"));
        CHECK(undisturbed.contains("curves.csv"));
        std::mt19937_64 generator(seed());
        const std::int64_t steps = 3 * 3;  // epochs * batches: 4 training sequences of 9 windows, 16 a batch
        const auto any = static_cast<std::int64_t>(generator() % static_cast<std::uint64_t>(steps));
        // Before the first step, inside an epoch, at its end, twice at one step, while the threshold is
        // found, and anywhere.
        const std::vector<std::vector<std::int64_t>> cases{{0}, {2}, {3}, {4, 4, 7}, {steps}, {any}};
        for (std::size_t i = 0; i < cases.size(); ++i) {
            CAPTURE(i);
            CAPTURE(any);
            CHECK(trained(folder.path() / cell / std::to_string(i), params, cases[i]) == undisturbed);
        }
        // Rows in a file are the same rows.
        CHECK(trained(folder.path() / cell / "f", params, {2}, nightshift::Bytes{}) == undisturbed);
        json other = params;
        other["seed"] = 43;
        CHECK(trained(folder.path() / cell / "c", other, {}) != undisturbed);
    }
}

TEST_CASE("train.temporal: a checkpoint of other parameters is refused") {
    const TemporaryFolder folder;
    json params = params_for(write_waves(folder.path(), 12), "gru");
    FakeContext first(folder.path() / "a");
    first.yield_at = 2;
    CHECK_THROWS_AS(run_kind("train.temporal", params, first), StopRequested);
    FakeContext second(folder.path() / "b");
    second.resume = first.saved();
    params["lr"] = 0.02;
    CHECK_THROWS_WITH_AS(run_kind("train.temporal", params, second),
                         doctest::Contains("other features or parameters"), JobError);
}

TEST_CASE("train.temporal: learns order in time, scores every frame, finds stumbles it never saw") {
    const TemporaryFolder folder;
    const fs::path features = write_waves(folder.path(), 90);
    json params = params_for(features, "gru");
    params["hidden"] = 8;
    params["epochs"] = 60;
    FakeContext training(folder.path() / "train");
    run_kind("train.temporal", params, training);
    const Model model = read_model(training.output() / "model");
    CHECK(model.kind == "temporal");
    CHECK(model.features == std::vector<std::string>{"one", "two", "sum"});
    CHECK(model.threshold_rule == "largest F1 on the validation split");
    CHECK(temporal_of_model(model).shape.decoder == DecoderInput::kState);
    CHECK(training.artifacts.at("model") == "model");
    const Table curves = read_table(training.output() / "curves.csv");
    REQUIRE(curves.rows() == 60);
    CHECK(curves.numbers("loss").back() < 0.5 * curves.numbers("loss").front());
    CHECK(curves.numbers("val_reconstruction").back() < curves.numbers("val_reconstruction").front());

    FakeContext scoring(folder.path() / "score");
    run_kind("score", {{"features", features.string()}, {"model", (training.output() / "model").string()}},
             scoring);
    const Table scores = read_table(scoring.output() / "scores.csv");
    REQUIRE(scores.rows() == 90 * kTableFrames);
    const Table table = wave_table(90);
    FeatureSet set = features_of_table(table, "waves");
    SequenceScores sequences = group_by_sequence(set);
    aggregate_scores(sequences, scores.numbers("score"), Aggregate::kMax);
    std::vector<int> labels;
    std::vector<double> tested;
    for (std::size_t s = 0; s < sequences.size(); ++s) {
        if (sequences.split[s] != Split::kTest) continue;
        labels.push_back(sequences.label[s]);
        tested.push_back(sequences.score[s]);
    }
    CHECK(roc_auc(labels, tested) > 0.9);
}

TEST_CASE("train.temporal: a frame's score does not depend on the other sequences of the table") {
    const TemporaryFolder folder;
    const fs::path features = write_waves(folder.path(), 12);
    FakeContext training(folder.path() / "train");
    run_kind("train.temporal", params_for(features, "lstm"), training);
    const auto score = [&](const fs::path& table, const std::string& name) {
        FakeContext context(folder.path() / name);
        run_kind("score", {{"features", table.string()}, {"model", (training.output() / "model").string()}},
                 context);
        return read_table(context.output() / "scores.csv").numbers("score");
    };
    const std::vector<double> all = score(features, "all");
    // Without the first sequence, and every frame of one number together: the others lie interleaved.
    const Table table = read_table(features);
    std::vector<std::size_t> order;
    for (std::size_t f = 0; f < kTableFrames; ++f) {
        for (std::size_t s = 1; s < 12; ++s) order.push_back(s * kTableFrames + f);
    }
    Table mixed;
    const auto text = table.text("sequence");
    std::vector<std::string> names;
    for (const std::size_t r : order) names.push_back(text[r]);
    mixed.add("sequence", names);
    for (const char* column : {"frame", "one", "two", "sum"}) {
        const auto values = table.numbers(column);
        std::vector<double> moved;
        for (const std::size_t r : order) moved.push_back(values[r]);
        mixed.add(column, moved);
    }
    write_table(mixed, folder.path() / "mixed.csv", TableFormat::kCsv);
    const std::vector<double> again = score(folder.path() / "mixed.csv", "mixed");
    REQUIRE(again.size() == order.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        CHECK(again[i] == doctest::Approx(all[order[i]]).epsilon(1e-5));
}

TEST_CASE("train.temporal: rows of whole sequences are refused with what to do") {
    const TemporaryFolder folder;
    Table table;
    table.add("sequence", std::vector<std::string>{"a", "b", "c"});
    table.add("label", std::vector<double>{0, 0, 1});
    table.add("x", std::vector<double>{1, 2, 3});
    write_table(table, folder.path() / "features.csv", TableFormat::kCsv);
    FakeContext context(folder.path() / "a");
    CHECK_THROWS_WITH_AS(
        run_kind("train.temporal", params_for(folder.path() / "features.csv", "gru"), context),
        doctest::Contains("set compat21"), JobError);
}
