#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "jobs/kinds.h"
#include "jobs/table/table.h"
#include "tests/jobs/analyze/case_dataset.h"
#include "tests/jobs/models/fake_context.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::tests;
using nlohmann::json;

namespace {

json golden() {
    return json::parse(bytes_of(data_folder() / "golden/risk/risk.json"));
}

/// summary.csv of a data set analysed with these parameters.
jobs::Table analysed(const std::filesystem::path& dataset, json params, FakeContext& context) {
    const jobs::Kind kind = jobs::analyze_kind();
    params["dataset"] = dataset.string();
    kind.make(jobs::complete_params(kind, params))->run(context);
    return jobs::read_table(context.output() / "summary.csv");
}

bool is_near(double found, double expected) {
    return std::abs(found - expected) <= 1e-12 * std::abs(expected);
}

/// Largest value of a column in each frame.
std::map<int, double> by_frame(const jobs::Table& table, const std::string& column) {
    const auto frame = table.numbers("frame"), value = table.numbers(column);
    std::map<int, double> out;
    for (std::size_t i = 0; i < frame.size(); ++i) {
        const auto [at, is_new] = out.try_emplace(static_cast<int>(frame[i]), value[i]);
        if (!is_new) at->second = std::max(at->second, value[i]);
    }
    return out;
}

}  // namespace

TEST_CASE("golden risk: summaries for every set of parameters, with and without frame metrics") {
    const ScratchFolder scratch;
    const json risk = golden();
    const std::vector<std::string> names{"e_fps60", "e_noise0", "s_normal", "s_uv_overcured"};
    int compared = 0;
    for (const bool with : {true, false}) {
        std::vector<CaseOf> cases;
        for (const std::string& name : names) cases.push_back({name, -1, with});
        const auto dataset = write_cases(scratch / (with ? "with" : "without"), cases);
        for (const auto& [variant, params] : risk.at("variants").items()) {
            FakeContext context(scratch / (variant + (with ? "1" : "0")));
            const jobs::Table found = analysed(dataset, params, context);
            REQUIRE(found.text("sequence") == names);
            for (const json& one : risk.at("results")) {
                if (one.at("variant") != variant || one.at("with_metrics") != with) continue;
                CAPTURE(one.dump());
                const auto row = static_cast<std::size_t>(
                    std::find(names.begin(), names.end(), one.at("bundle").get<std::string>()) -
                    names.begin());
                REQUIRE(row < names.size());
                CHECK(is_near(found.numbers("max_crack_risk")[row], one.at("max_risk")));
                CHECK(is_near(found.numbers("mean_crack_risk")[row], one.at("mean_risk")));
                CHECK(is_near(found.numbers("p95_crack_risk")[row], one.at("p95_risk")));
                CHECK(found.numbers("has_frame_metrics")[row] == with);
                ++compared;
            }
        }
    }
    CHECK(compared == 32);
}

TEST_CASE("golden risk: the largest surrogates and risk of each frame") {
    const ScratchFolder scratch;
    for (const bool with : {true, false}) {
        const auto dataset = write_cases(scratch / (with ? "with" : "without"),
                                         {{"e_fps60", -1, with}, {"e_noise0", -1, with}});
        FakeContext context(scratch / (with ? "a" : "b"));
        analysed(dataset, json::object(), context);
        const jobs::Table found = jobs::read_table(context.output() / "risk.csv");
        const auto sequence = found.text("sequence");
        const auto frame = found.numbers("frame");
        for (const std::string name : {"e_fps60", "e_noise0"}) {
            const jobs::Table table = jobs::read_table(data_folder() / "golden/risk" /
                                                       (name + (with ? "_metrics.csv" : "_nometrics.csv")));
            for (const char* column :
                 {"strain_surrogate", "stress_surrogate", "impact_surrogate", "crack_risk"}) {
                CAPTURE(std::string(column));
                const auto expected = by_frame(table, column);
                const auto values = found.numbers(column);
                std::size_t compared = 0;
                for (std::size_t i = 0; i < values.size(); ++i) {
                    if (sequence[i] != name) continue;
                    CHECK(is_near(values[i], expected.at(static_cast<int>(frame[i]))));
                    ++compared;
                }
                CHECK(compared == expected.size());
            }
        }
    }
}

TEST_CASE("golden risk: the largest risks of the reference's grid, and their AUC in the log") {
    const ScratchFolder scratch;
    const json grid = golden().at("grid_search");
    std::vector<CaseOf> cases;
    for (std::size_t i = 0; i < grid.at("bundles").size(); ++i)
        cases.push_back({grid.at("bundles")[i], grid.at("points")[0].at("labels")[i], true});
    const auto dataset = write_cases(scratch / "dataset", cases);
    REQUIRE(grid.at("points").size() == 4);
    for (const json& point : grid.at("points")) {
        FakeContext context(scratch / point.at("sigmoid_center").dump() /
                            point.at("sigmoid_steepness").dump());
        const jobs::Table found = analysed(dataset,
                                           {{"sigmoid_center", point.at("sigmoid_center")},
                                            {"sigmoid_steepness", point.at("sigmoid_steepness")}},
                                           context);
        const auto risks = found.numbers("max_crack_risk");
        REQUIRE(risks.size() == point.at("scores").size());
        for (std::size_t i = 0; i < risks.size(); ++i)
            CHECK(is_near(risks[i], point.at("scores")[i].get<double>()));
        CHECK(has(context.lines.back(), "ROC AUC of the largest risk 0.950000"));
    }
}

TEST_CASE("golden risk: summaries with another frame rate or scale") {
    const ScratchFolder scratch;
    const json options =
        json::parse(bytes_of(data_folder() / "golden/compat/vectors.json")).at("with_options");
    int compared = 0;
    for (const json& one : options) {
        const auto name = one.at("name").get<std::string>();
        const auto dataset = name == "x_irregular"
                                 ? data_folder() / "reader/x_irregular"
                                 : write_cases(scratch / (name + "-data"), {{name, -1, true}});
        json params = json::object();
        if (one.at("options").contains("fps")) params["fps"] = one.at("options").at("fps");
        if (one.at("options").contains("meters_per_pixel_override"))
            params["meters_per_pixel"] = one.at("options").at("meters_per_pixel_override");
        FakeContext context(scratch / std::to_string(compared));
        const jobs::Table found = analysed(dataset, params, context);
        for (const auto& [key, value] : one.at("summary").items()) {
            CAPTURE(key);
            CHECK(is_near(found.numbers(key).at(0), value.get<double>()));
        }
        ++compared;
    }
    CHECK(compared == 3);
}
