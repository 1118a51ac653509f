#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <random>

#include <nlohmann/json.hpp>

#include "jobs/models/model_folder.h"
#include "jobs/models/train_dream.h"
#include "jobs/table/table.h"
#include "tests/jobs/models/fake_context.h"
#include "tests/jobs/models/temporary_folder.h"
#include "tests/support/seed.h"

/// Training runs that every engine has to survive.
namespace nightshift::tests {

namespace fs = std::filesystem;
using namespace nightshift::jobs;

inline constexpr std::int64_t kSteps = 3 * 4;  // epochs * batches

/// 100 rows of sequences with a validation split, so that every part of a checkpoint matters.
inline fs::path write_features(const fs::path& folder) {
    std::mt19937_64 generator(5);
    std::normal_distribution<double> normal;
    Table table;
    std::vector<std::string> sequence, split;
    std::vector<double> label;
    for (int i = 0; i < 120; ++i) {
        sequence.push_back("s" + std::to_string(i));
        split.push_back(i % 6 == 5 ? "val" : "train");
        label.push_back(i % 24 == 5 ? 1 : 0);
    }
    table.add("sequence", sequence);
    table.add("label", label);
    table.add("split", split);
    for (const char* name : {"speed_mean", "speed_max", "acceleration_max", "curvature_mean", "bend"}) {
        std::vector<double> values(120);
        for (double& value : values) value = normal(generator);
        table.add(name, values);
    }
    write_table(table, folder / "features.csv", TableFormat::kCsv);
    return folder / "features.csv";
}

inline nlohmann::json params_of(const fs::path& features, int seed = 42) {
    return {{"features", features.string()},
            {"epochs", 3},
            {"batch", 25},
            {"lr", 0.01},
            {"seed", seed},
            {"engine", "torch"},
            {"amp", false}};
}

inline std::string bytes_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Every file below `folder` with its bytes.
inline std::map<std::string, std::string> files_of(const fs::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file())
            files[fs::relative(entry.path(), folder).string()] = bytes_of(entry.path());
    }
    return files;
}

/// Runs to the end, yielding at the given steps.
inline std::map<std::string, std::string> train(const fs::path& root, const nlohmann::json& params,
                                                const std::vector<std::int64_t>& yields,
                                                const DreamEngineFactory& factory,
                                                Bytes rows_held = mebibytes(128)) {
    fs::path resume;
    for (std::size_t attempt = 0;; ++attempt) {
        FakeContext context(root / std::to_string(attempt));
        context.rows_held = rows_held;
        if (!resume.empty()) context.resume = resume;
        if (attempt < yields.size()) context.yield_at = yields[attempt];
        try {
            make_train_dream(params, factory)->run(context);
            CHECK(attempt == yields.size());
            return files_of(context.output());
        } catch (const StopRequested& stop) {
            REQUIRE(stop.is_yield);
            resume = context.saved();
        }
    }
}

inline void check_resume(const DreamEngineFactory& factory) {
    const TemporaryFolder folder;
    const nlohmann::json params = params_of(write_features(folder.path()));
    const auto undisturbed = train(folder.path() / "a", params, {}, factory);
    CHECK(undisturbed.contains("model/model.json"));
    CHECK(undisturbed.contains("curves.csv"));
    std::mt19937_64 generator(seed());
    const auto any = static_cast<std::int64_t>(generator() % static_cast<std::uint64_t>(kSteps));
    // Before the first step, inside an epoch, at its end, twice at the same step, and anywhere.
    const std::vector<std::vector<std::int64_t>> cases{{0}, {2}, {4}, {kSteps - 1}, {3, 3}, {1, 5, 9}, {any}};
    for (std::size_t i = 0; i < cases.size(); ++i) {
        CAPTURE(i);
        CAPTURE(any);
        const auto resumed = train(folder.path() / ("b" + std::to_string(i)), params, cases[i], factory);
        CHECK(resumed == undisturbed);
    }
    // Rows in a file are the same rows.
    CHECK(train(folder.path() / "d", params, {5}, factory, Bytes{}) == undisturbed);
    CHECK(train(folder.path() / "c", params_of(folder.path() / "features.csv", 43), {}, factory) !=
          undisturbed);
}

inline void check_foreign_checkpoint(const DreamEngineFactory& factory) {
    const TemporaryFolder folder;
    const nlohmann::json params = params_of(write_features(folder.path()));
    FakeContext first(folder.path() / "a");
    first.yield_at = 2;
    CHECK_THROWS_AS(make_train_dream(params, factory)->run(first), StopRequested);
    FakeContext second(folder.path() / "b");
    second.resume = first.saved();
    nlohmann::json other = params;
    other["lr"] = 0.02;
    CHECK_THROWS_WITH_AS(make_train_dream(other, factory)->run(second),
                         doctest::Contains("other features or parameters"), JobError);
}

inline void check_learning(const DreamEngineFactory& factory) {
    const TemporaryFolder folder;
    nlohmann::json params = params_of(write_features(folder.path()));
    params["epochs"] = 60;
    FakeContext context(folder.path() / "a");
    make_train_dream(params, factory)->run(context);
    const Model model = read_model(context.output() / "model");
    CHECK(model.threshold_rule == "largest F1 on the validation split");
    CHECK(model.features.size() == 5);
    CHECK(context.artifacts.at("model") == "model");
    REQUIRE(!context.reports.empty());
    CHECK(context.reports.back().step == 60 * 4);
    CHECK(context.reports.back().steps == 60 * 4);
    const Table curves = read_table(context.output() / "curves.csv");
    const std::vector<double> loss = curves.numbers("reconstruction");
    REQUIRE(loss.size() == 60);
    CHECK(loss.back() < 0.8 * loss.front());
    CHECK(curves.numbers("val_reconstruction").back() > 0);
}

}  // namespace nightshift::tests
