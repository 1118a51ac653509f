#include <doctest/doctest.h>

#include <algorithm>
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

/// The reference's scripts read only the sequences of their goal.
fs::path without(const fs::path& features, const fs::path& folder, const std::vector<std::string>& left_out) {
    fs::create_directories(folder);
    std::ifstream in(features / "features.csv");
    std::ofstream out(folder / "features.csv");
    for (std::string line; std::getline(in, line);) {
        const bool is_out = std::any_of(left_out.begin(), left_out.end(),
                                        [&](const std::string& start) { return line.starts_with(start); });
        if (!is_out) out << line << "\n";
    }
    fs::copy_file(features / "sequences.csv", folder / "sequences.csv");
    return folder / "features.csv";
}

json report_of(const fs::path& root, int goal, const std::string& set,
               const std::vector<std::string>& left_out) {
    const std::string name = "goal" + std::to_string(goal);
    const fs::path features =
        run(root, name + "-features", "extract",
            {{"dataset", (root / "set/output/dataset").string()}, {"set", set}, {"format", "csv"}});
    const std::string table = without(features, root / name, left_out).string();
    const fs::path trained = run(root, name + "-model", "train.patchcore", {{"features", table}});
    return read_json(run(root, name + "-report", "evaluate",
                         {{"features", table},
                          {"models", (trained / "model").string()},
                          {"protocol", "compat"},
                          {"goal", goal}}) /
                     "report.json");
}

}  // namespace

TEST_CASE("protocol compat: from its own data, made here, come the reference's reports, number for number") {
    const TemporaryFolder folder;
    run(folder.path(), "set", "generate", {{"rng", "compat"}, {"preset", "small"}, {"format", "bundles"}});
    const json wanted = read_json(NIGHTSHIFT_SOURCE_FOLDER "/tests/data/golden/eval_small.json");
    CHECK(report_of(folder.path(), 1, "compat81", {"thick_panel", "pre_damaged"}) == wanted.at("goal1"));
    CHECK(report_of(folder.path(), 2, "compat21", {"thick_panel", "crack_in_bending"}) == wanted.at("goal2"));
}
