#include "jobs/models/patchcore.h"

#include <doctest/doctest.h>

#include <cmath>

#include "jobs/models/percentile.h"
#include "jobs/runtime/job_impl.h"
#include "kernels/coreset.h"
#include "tests/jobs/models/golden_array.h"
#include "tests/jobs/models/temporary_folder.h"

using namespace nightshift::jobs;
using nightshift::tests::kGoldenFolder;
using nightshift::tests::read_array;
using nightshift::tests::read_column;
using nightshift::tests::TemporaryFolder;

namespace {

constexpr std::int64_t kColumns = 81;

std::vector<std::int64_t> read_rows(const std::string& file) {
    const std::vector<double> values = read_column(file, 0);
    return {values.begin(), values.end()};
}

double largest_relative_error(const std::vector<double>& found, const std::vector<double>& expected) {
    REQUIRE(found.size() == expected.size());
    double error = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        error = std::max(error, std::abs(found[i] - expected[i]) / std::max(std::abs(expected[i]), 1e-6));
    }
    return error;
}

/// The bank out of rows that no normaliser changes.
std::optional<PatchCoreBank> bank_of(std::vector<double> values, std::int64_t columns,
                                     const PatchCoreOptions& options, const FitProgress& progress = {},
                                     const RowRoom& room = {}) {
    FeatureSet set;
    Model model;
    for (std::int64_t j = 0; j < columns; ++j) set.names.push_back("x" + std::to_string(j));
    model.features = set.names;
    set.put_values({columns, std::move(values)});
    return pick_bank(ModelRows(model, set, "bank"), options, room, progress);
}

}  // namespace

TEST_CASE("patchcore: the random bank is the reference's, row for row") {
    for (const int size : {200, 1000}) {
        PatchCoreOptions options;
        options.bank = size;
        const std::vector<double> rows(3000);
        const auto bank = bank_of(rows, 1, options);
        REQUIRE(bank);
        CHECK(bank->picks ==
              read_rows(kGoldenFolder + "patchcore/bank_indices_M" + std::to_string(size) + ".csv"));
    }
}

TEST_CASE("patchcore: scores are the mean of the k distances") {
    const auto bank32 = read_array<float>(kGoldenFolder + "patchcore/bank_M200.bin");
    const auto query32 = read_array<float>(kGoldenFolder + "patchcore/query.bin");
    const std::vector<double> bank(bank32.begin(), bank32.end());
    const std::vector<double> query(query32.begin(), query32.end());
    const auto expected = read_column(kGoldenFolder + "patchcore/scores_M200_k5.csv", 1);
    PatchCoreOptions options;
    options.k = 5;
    CHECK(largest_relative_error(patchcore_scores(bank, query, kColumns, options), expected) < 1e-12);
    options.precision = PatchCoreOptions::Precision::kFp32;
    CHECK(largest_relative_error(patchcore_scores(bank, query, kColumns, options), expected) < 1e-12);
}

TEST_CASE("patchcore: bank sizes as number and as share") {
    CHECK(bank_rows(1000, 3000) == 1000);
    CHECK(bank_rows(5000, 3000) == 3000);
    CHECK(bank_rows(0.1, 3000) == 300);
    CHECK(bank_rows(0.001, 10) == 1);
    PatchCoreOptions options;
    options.bank = 2;
    options.k = 3;
    CHECK_THROWS_AS(bank_of(std::vector<double>(10), 1, options), JobError);
    options.k = 1;
    options.sampling = PatchCoreOptions::Sampling::kGreedy;
    options.start = 10;
    CHECK_THROWS_AS(bank_of(std::vector<double>(10), 1, options), JobError);
    options.start = 9;
    CHECK(bank_of(std::vector<double>(10), 1, options)->picks == std::vector<std::int64_t>{9, 0});
    CHECK(!bank_of(std::vector<double>(10), 1, options, [](double) { return false; }));
}

TEST_CASE("patchcore: banks, scores, threshold and coreset of the reference data") {
    const std::string folder = kGoldenFolder + "patchcore/";
    const auto train32 = read_array<float>(folder + "train.bin");
    const auto query32 = read_array<float>(folder + "query.bin");
    const std::vector<double> train(train32.begin(), train32.end());
    const std::vector<double> query(query32.begin(), query32.end());
    PatchCoreOptions options;
    options.precision = PatchCoreOptions::Precision::kFp32;
    struct Case {
        const char* file;
        double bank;
        int k;
    };
    for (const Case each : {Case{"scores_M1000_k1.csv", 1000, 1}, Case{"scores_M1000_k3.csv", 1000, 3},
                            Case{"scores_M200_k5.csv", 200, 5}, Case{"scores_M5000_k1.csv", 5000, 1}}) {
        CAPTURE(each.file);
        options.bank = each.bank;
        options.k = each.k;
        const auto bank = bank_of(train, kColumns, options);
        const auto expected = read_column(folder + each.file, 1);
        CHECK(largest_relative_error(patchcore_scores(bank->values, query, kColumns, options), expected) <
              1e-12);
    }
    options.bank = 1000;
    options.k = 1;
    const auto own = bank_of(train, kColumns, options);
    const auto on_training = patchcore_scores(own->values, train, kColumns, options);
    const auto reference = read_column(folder + "train_scores_M1000_k1.csv", 0);
    REQUIRE(on_training.size() == reference.size());
    for (std::size_t r = 0; r < reference.size(); ++r)
        CHECK(std::abs(on_training[r] - reference[r]) < 1e-6 * std::max(reference[r], 1.0));
    options.k = 3;
    const auto bank = bank_of(train, kColumns, options);
    CHECK(percentile(patchcore_scores(bank->values, train, kColumns, options), 95) ==
          doctest::Approx(6.333330957094826).epsilon(1e-6));
    std::vector<double> narrow;  // the coreset's definition has no global columns
    for (std::size_t r = 0; r < 3000; ++r) narrow.insert(narrow.end(), &train[r * 81], &train[r * 81 + 75]);
    options.sampling = PatchCoreOptions::Sampling::kGreedy;
    options.bank = 300;
    CHECK(bank_of(narrow, 75, options)->picks == read_rows(folder + "greedy_coreset.csv"));
    const auto coreset = nightshift::kernels::greedy_coreset_cpu({narrow.data(), 3000, 75}, 300, 0, 1);
    const auto distances = read_column(folder + "greedy_final_min_distance.csv", 0);
    REQUIRE(coreset.remaining.size() == distances.size());
    for (std::size_t r = 0; r < distances.size(); ++r)
        CHECK(coreset.remaining[r] == doctest::Approx(distances[r]).epsilon(1e-12));
    const TemporaryFolder scratch;
    const RowRoom none{0, scratch.path()};
    CHECK(bank_of(narrow, 75, options, {}, none)->picks == read_rows(folder + "greedy_coreset.csv"));
}
