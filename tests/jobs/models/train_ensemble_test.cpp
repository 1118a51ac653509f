#include <doctest/doctest.h>

#include <cmath>
#include <fstream>

#include "jobs/models/ensemble.h"
#include "tests/jobs/models/sequence_table.h"
#include "tests/jobs/models/temporary_folder.h"

using namespace nightshift::jobs;
using namespace nightshift::tests;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr int kSequences = 90;

/// A bank of normal frames on the given columns.
fs::path bank_of(const fs::path& root, const fs::path& features, const std::vector<std::string>& columns) {
    FakeContext context(root);
    run_kind("train.patchcore",
             {{"features", features.string()}, {"columns", columns}, {"bank", 100}, {"k", 3}}, context);
    return context.output() / "model";
}

/// A member on all columns, and one on a column that knows nothing of damage.
struct Members {
    explicit Members(double stumble = 4) : features(write_waves(folder.path(), kSequences, stumble)) {}

    TemporaryFolder folder;
    fs::path features;
    fs::path good = bank_of(folder.path() / "good", features, {"one", "two", "sum"});
    fs::path blind = bank_of(folder.path() / "blind", features, {"one"});

    fs::path ensemble(const std::string& name, const json& more, const fs::path& table) const {
        json params{{"features", table.string()}, {"models", {good.string(), blind.string()}}};
        params.update(more);
        FakeContext context(folder.path() / name);
        run_kind("train.ensemble", params, context);
        CHECK(context.artifacts.at("model") == "model");
        return context.output() / "model";
    }
    std::vector<double> score(const std::string& name, const fs::path& model, const fs::path& table) const {
        FakeContext context(folder.path() / name);
        run_kind("score", {{"features", table.string()}, {"model", model.string()}}, context);
        return read_table(context.output() / "scores.csv").numbers("score");
    }
};

/// The rows for which `keeps` says so, with the labels that `label` gives.
template <typename Keeps, typename Label>
fs::path write_part(const fs::path& file, const Table& table, Keeps keeps, Label label) {
    Table out;
    std::vector<std::size_t> rows;
    for (std::size_t r = 0; r < table.rows(); ++r) {
        if (keeps(r)) rows.push_back(r);
    }
    for (const char* name : {"sequence", "split", "scenario", "goal"}) {
        const auto from = table.text(name);
        std::vector<std::string> to;
        for (const std::size_t r : rows) to.push_back(from[r]);
        out.add(name, to);
    }
    for (const char* name : {"frame", "label", "one", "two", "sum"}) {
        const auto from = table.numbers(name);
        std::vector<double> to;
        for (const std::size_t r : rows) to.push_back(std::string(name) == "label" ? label(r) : from[r]);
        out.add(name, to);
    }
    write_table(out, file, TableFormat::kCsv);
    return file;
}

}  // namespace

TEST_CASE("train.ensemble: a row has the same score alone as among all the others") {
    const Members members;
    const Table table = read_table(members.features);
    const auto labels = table.numbers("label");
    const auto label = [&](std::size_t r) { return labels[r]; };
    const fs::path few = write_part(
        members.folder.path() / "few.csv", table, [](std::size_t r) { return r % 50 == 7; }, label);
    for (const char* method : {"weighted", "max", "stacking"}) {
        CAPTURE(method);
        const fs::path model = members.ensemble(method, {{"method", method}}, members.features);
        const auto all = members.score(std::string(method) + "-all", model, members.features);
        const auto some = members.score(std::string(method) + "-few", model, few);
        REQUIRE(all.size() == table.rows());
        for (std::size_t i = 0; i < some.size(); ++i) CHECK(some[i] == all[50 * i + 7]);
    }
    // The reference's scaling looks at its batch: there the same rows get other scores.
    const fs::path compat = members.ensemble("compat", {{"compat", true}}, members.features);
    CHECK(members.score("compat-few", compat, few)[0] !=
          members.score("compat-all", compat, members.features)[7]);
}

TEST_CASE("train.ensemble: weights prefer the member that sees damage; the test split is not looked at") {
    const Members members(0.6);  // the good one is not perfect either
    const Table table = read_table(members.features);
    const auto labels = table.numbers("label");
    const auto splits = table.text("split");
    const fs::path flipped = write_part(
        members.folder.path() / "flipped.csv", table, [](std::size_t) { return true; },
        [&](std::size_t r) { return splits[r] == "test" ? 1 - labels[r] : labels[r]; });
    for (const char* method : {"weighted", "stacking"}) {
        CAPTURE(method);
        const Model model = read_model(members.ensemble(method, {{"method", method}}, members.features));
        const Ensemble ensemble = ensemble_of_model(model);
        REQUIRE(ensemble.members.size() == 2);
        CHECK(ensemble.members[0].name == "patchcore");
        CHECK(ensemble.members[1].name == "patchcore-2");
        CHECK(ensemble.weights[0] > ensemble.weights[1]);
        CHECK(ensemble.weights[1] >= 0);
        const Model other =
            read_model(members.ensemble(std::string(method) + "-flipped", {{"method", method}}, flipped));
        CHECK(other.settings_json == model.settings_json);
        CHECK(other.threshold == model.threshold);
    }
}

TEST_CASE("train.ensemble: without damaged validation sequences weights are equal and stacking says why") {
    const Members members;
    const Table table = read_table(members.features);
    const auto splits = table.text("split");
    const auto labels = table.numbers("label");
    const fs::path normals = write_part(
        members.folder.path() / "normals.csv", table,
        [&](std::size_t r) { return splits[r] != "val" || labels[r] == 0; },
        [&](std::size_t r) { return labels[r]; });
    const Model model = read_model(members.ensemble("equal", json::object(), normals));
    CHECK(ensemble_of_model(model).weights == std::vector<double>{0.5, 0.5});
    CHECK(model.training_json.find("equal: the validation split") != std::string::npos);
    CHECK_THROWS_WITH_AS(members.ensemble("stack", {{"method", "stacking"}}, normals),
                         doctest::Contains("use method weighted or max"), JobError);
}

TEST_CASE("train.ensemble: ensembles are no members, and an ensemble needs no other folder") {
    const Members members;
    const fs::path model = members.ensemble("one", json::object(), members.features);
    CHECK_THROWS_WITH_AS(
        members.ensemble("two", {{"models", {model.string(), members.good.string()}}}, members.features),
        doctest::Contains("is an ensemble itself"), JobError);
    const auto before = members.score("before", model, members.features);
    fs::remove_all(members.good);
    fs::remove_all(members.blind);
    CHECK(members.score("after", model, members.features) == before);
}

TEST_CASE("train.ensemble: takes the rows that its members learned from") {
    const Members members;
    Table table = read_table(members.features);
    // Half of the normal sequences are variants, which the reference's scripts do not learn from.
    std::vector<std::string> goals = table.text("goal");
    const auto sequences = table.text("sequence");
    for (std::size_t r = 0; r < goals.size(); ++r) {
        if (goals[r] == "normal" && sequences[r].back() % 2 == 1) goals[r] = "variant";
    }
    Table changed;
    for (const Column& column : table.columns()) {
        if (column.name == "goal") {
            changed.add("goal", goals);
        } else {
            changed.add(column.name, column.values);
        }
    }
    const fs::path file = members.folder.path() / "goals.csv";
    write_table(changed, file, TableFormat::kCsv);
    const auto rows = [&](const char* which) {
        const Model model = read_model(members.ensemble(which, {{"rows", which}}, file));
        return json::parse(model.training_json).at("rows").get<std::int64_t>();
    };
    CHECK(rows("goal") > 0);
    CHECK(rows("goal") < rows("normal"));
}

TEST_CASE("evaluate: an ensemble is set beside its best member, and equal is called equal") {
    const Members members;
    const auto verdict = [&](const std::string& name, const fs::path& model) {
        FakeContext context(members.folder.path() / name);
        run_kind("evaluate",
                 {{"features", members.features.string()}, {"models", model.string()}, {"goal", 1}}, context);
        const json report = json::parse(std::ifstream(context.output() / "report.json"));
        const json& best = report.at("models").at("ensemble").at("best_member");
        CHECK(best.at("difference").get<double>() ==
              doctest::Approx(report.at("models").at("ensemble").at("roc_auc").get<double>() -
                              best.at("roc_auc").get<double>()));
        const std::string word = best.at("verdict");
        const std::string sentence = word == "equal"   ? "is equal to its best member "
                                     : word == "worse" ? "is worse than its best member "
                                                       : "beats its best member ";
        bool is_told = false;
        for (const json& finding : report.at("findings")) {
            is_told = is_told || finding.at("en").get<std::string>().find(
                                     sentence + best.at("name").get<std::string>()) != std::string::npos;
        }
        CHECK(is_told);
        CHECK(best.at("name") == "patchcore");
        return word;
    };
    // The same model twice can be no better than itself; a blind member that counts for all makes it worse.
    const fs::path twice = members.ensemble(
        "twice", {{"models", {members.good.string(), members.good.string()}}}, members.features);
    CHECK(verdict("equal", twice) == "equal");
    Model spoilt = read_model(members.ensemble("spoilt", json::object(), members.features));
    json settings = json::parse(spoilt.settings_json);
    settings["weights"] = {0, 1};
    spoilt.settings_json = settings.dump();
    write_model(spoilt, members.folder.path() / "spoilt-model");
    CHECK(verdict("worse", members.folder.path() / "spoilt-model") == "worse");
}
