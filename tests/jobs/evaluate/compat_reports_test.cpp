#include <doctest/doctest.h>

#include <cmath>
#include <fstream>

#include <nlohmann/json.hpp>

#include "jobs/kinds.h"
#include "tests/jobs/models/fake_context.h"
#include "tests/jobs/models/temporary_folder.h"

using namespace nightshift::jobs;
using nightshift::tests::FakeContext;
using nightshift::tests::TemporaryFolder;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// Runs a kind as a job of its own and gives its output folder.
fs::path run(const fs::path& root, const std::string& name, const std::string& kind, const json& params) {
    FakeContext context(root / name);
    const Kind* found = find_kind(kind);
    REQUIRE(found != nullptr);
    found->make(complete_params(*found, params))->run(context);
    return context.output();
}

json read_json(const fs::path& file) {
    return json::parse(std::ifstream(file));
}

/// The reference's small data set, made here once.
struct SmallSet {
    TemporaryFolder folder;
    fs::path dataset;

    SmallSet() {
        const json params{{"rng", "compat"}, {"preset", "small"}, {"format", "bundles"}};
        dataset = run(folder.path(), "set", "generate", params) / "dataset";
    }
    fs::path features(const std::string& set) const {
        const fs::path output = folder.path() / set / "output";
        if (fs::exists(output)) return output / "features.csv";
        const json params{{"dataset", dataset.string()}, {"set", set}, {"format", "csv"}};
        return run(folder.path(), set, "extract", params) / "features.csv";
    }
    /// The model's folder; every default of the kind but what `params` says.
    std::string train(const std::string& name, const std::string& kind, json params,
                      const std::string& set) const {
        params["features"] = features(set).string();
        return (run(folder.path(), name, kind, params) / "model").string();
    }
    fs::path report(const std::string& name, int goal, const json& models, const std::string& set) const {
        return run(folder.path(), name, "evaluate",
                   {{"features", features(set).string()},
                    {"models", models},
                    {"protocol", "compat"},
                    {"goal", goal}});
    }
};

const SmallSet& small_set() {
    static const SmallSet set;
    return set;
}

const json& wanted() {
    static const json golden = read_json(NIGHTSHIFT_SOURCE_FOLDER "/tests/data/golden/eval_small.json");
    return golden;
}

/// Four standard deviations: our draws are not the reference's, and neither are its own five seeds' alike.
void check_spread(const json& models, const std::string& name, const std::string& field) {
    const json& spread = wanted().at("dream").at(name + "_" + field);
    const double distance =
        std::abs(models.at("DREAM").at(field).get<double>() - spread.at("mean").get<double>());
    INFO(name, " ", field, " ", models.at("DREAM").at(field).get<double>());
    CHECK(distance <= 4 * spread.at("sd").get<double>());
}

}  // namespace

TEST_CASE("protocol compat: from data made here come the reference's reports, number for number") {
    const SmallSet& set = small_set();
    const std::string first = set.train("goal1", "train.patchcore", json::object(), "compat81");
    CHECK(read_json(set.report("goal1-report", 1, first, "compat81") / "report.json") ==
          wanted().at("goal1"));
    const std::string second = set.train("goal2", "train.patchcore", json::object(), "compat21");
    CHECK(read_json(set.report("goal2-report", 2, second, "compat21") / "report.json") ==
          wanted().at("goal2"));
}

TEST_CASE("protocol compat: the reference's later analysis, its thick panels and its order of rows") {
    const SmallSet& set = small_set();
    const std::string model = set.train("analysis", "train.patchcore", {{"rows", "analysis"}}, "compat81");
    json got = read_json(set.report("analysis-report", 1, model, "compat81") / "analysis.json");
    json want = wanted().at("analysis");
    // The reference's scores are float32.
    const auto threshold_of = [](json& report) {
        const double threshold = report.at("models").at("PatchCore").at("best_threshold");
        report["models"]["PatchCore"].erase("best_threshold");
        return threshold;
    };
    const double threshold = threshold_of(want);
    CHECK(threshold_of(got) == doctest::Approx(threshold).epsilon(1e-6));
    CHECK(got == want);
}

TEST_CASE("protocol compat: DREAM's reports lie where the reference's seeds lie") {
    const SmallSet& set = small_set();
    const json fifteen{{"epochs", 15}, {"engine", "native"}};
    const std::string first = set.train("dream1", "train.dream", fifteen, "compat81");
    const json goal1 = read_json(set.report("dream1-report", 1, first, "compat81") / "report.json");
    check_spread(goal1.at("models"), "goal1", "roc_auc");
    check_spread(goal1.at("models"), "goal1", "pr_auc");
    const std::string second = set.train("dream2", "train.dream", fifteen, "compat21");
    const json goal2 = read_json(set.report("dream2-report", 2, second, "compat21") / "report.json");
    check_spread(goal2.at("models"), "goal2", "roc_auc");
    check_spread(goal2.at("models"), "goal2", "pr_auc");
}

TEST_CASE("protocol compat: the reference's change points of its own data set") {
    const SmallSet& set = small_set();
    const json params{{"dataset", set.dataset.string()}, {"goal", "cpd"}, {"protocol", "compat"}};
    CHECK(read_json(run(set.folder.path(), "cpd", "evaluate", params) / "report.json") == wanted().at("cpd"));
}
