#include <cmath>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "jobs/table/table.h"
#include "tests/jobs/models/fake_context.h"
#include "tests/jobs/models/sequence_table.h"
#include "tests/jobs/models/temporary_folder.h"

/// Tables that are not ours: public data sets that scikit-learn carries, beside its own detectors.
using namespace nightshift::jobs;
using nightshift::tests::FakeContext;
using nightshift::tests::run_kind;
using nightshift::tests::TemporaryFolder;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

const fs::path kOwn = NIGHTSHIFT_SOURCE_FOLDER "/tests/data/own";

json peers_of(const std::string& name) {
    return json::parse(std::ifstream(kOwn / "peers.json")).at(name);
}

/// Every second row of a table, beginning with `first`, as a file of its own.
fs::path half_of(const std::string& name, std::size_t first, const fs::path& folder) {
    const Table whole = read_table(kOwn / (name + ".csv"));
    Table half;
    for (const Column& column : whole.columns()) {
        if (column.is_text()) {
            std::vector<std::string> values;
            const auto all = whole.text(column.name);
            for (std::size_t r = first; r < all.size(); r += 2) values.push_back(all[r]);
            half.add(column.name, std::move(values));
        } else {
            std::vector<double> values;
            const auto all = whole.numbers(column.name);
            for (std::size_t r = first; r < all.size(); r += 2) values.push_back(all[r]);
            half.add(column.name, std::move(values));
        }
    }
    const fs::path file = folder / (name + std::to_string(first) + ".csv");
    write_table(half, file, TableFormat::kCsv);
    return file;
}

/// ROC AUC, on the odd rows, of a model that learnt from the even ones.
double auc_of(const std::string& kind, json params, const std::string& name, const std::string& group,
              const TemporaryFolder& folder) {
    params["features"] = half_of(name, 0, folder.path()).string();
    params["label"] = "damaged";
    params["group"] = group;
    params["normalize"] = true;
    FakeContext training(folder.path() / (kind + name));
    run_kind(kind.c_str(), params, training);
    FakeContext judging(folder.path() / (kind + name + "-report"));
    run_kind("evaluate",
             {{"features", half_of(name, 1, folder.path()).string()},
              {"models", (training.output() / "model").string()},
              {"label", "damaged"},
              {"group", group}},
             judging);
    const json report = json::parse(std::ifstream(judging.output() / "report.json"));
    return report.at("models").begin()->at("roc_auc");
}

std::string error_of(const char* kind, const json& params, const TemporaryFolder& folder) {
    try {
        FakeContext context(folder.path() / "refused");
        run_kind(kind, params, context);
    } catch (const JobError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("own table: a whole bank of normal rows is scikit-learn's nearest neighbours") {
    const TemporaryFolder folder;
    const json params{{"bank", 1'000'000}, {"sampling", "greedy"}, {"k", 5}};
    for (const auto& [name, group] : {std::pair{"breast_cancer", "nucleus"}, {"digits", "digit"}}) {
        INFO(name);
        CHECK(auc_of("train.patchcore", params, name, group, folder) ==
              doctest::Approx(peers_of(name).at("knn_5").get<double>()).epsilon(1e-12));
    }
}

TEST_CASE("own table: DREAM learns what an isolation forest finds, and more") {
    const TemporaryFolder folder;
    const json params{{"epochs", 60}, {"engine", "native"}};
    for (const auto& [name, group] : {std::pair{"breast_cancer", "nucleus"}, {"digits", "digit"}}) {
        INFO(name);
        const json peer = peers_of(name);
        const double forest = peer.at("isolation_forest_mean"), sd = peer.at("isolation_forest_sd");
        const double ours = auc_of("train.dream", params, name, group, folder);
        INFO(ours);
        CHECK(ours >= forest - 4 * sd);
    }
}

TEST_CASE("own table: labels that are none, and columns that are not there") {
    const TemporaryFolder folder;
    const std::string file = half_of("digits", 0, folder.path()).string();
    const auto refusal = [&](const json& more) {
        json params{{"features", file}};
        params.update(more);
        return error_of("train.patchcore", params, folder);
    };
    CHECK(refusal({{"label", "p3"}}).find("a label is 1 for damaged, 0 for normal, or empty") !=
          std::string::npos);
    CHECK(refusal({{"label", "damage"}}).find("Did you mean 'damaged'?") != std::string::npos);
    CHECK(refusal({{"group", "digitt"}}).find("Did you mean 'digit'?") != std::string::npos);
    CHECK(refusal({{"rows", "goal"}}).find("needs the goal of each sequence") != std::string::npos);
    Table bad;
    bad.add("x", std::vector<double>{1, 2});
    bad.add("damaged", std::vector<double>{1, 1});
    write_table(bad, folder.path() / "bad.csv", TableFormat::kCsv);
    CHECK(error_of("train.patchcore",
                   {{"features", (folder.path() / "bad.csv").string()}, {"label", "damaged"}}, folder)
              .find("leaves no normal row") != std::string::npos);
}
