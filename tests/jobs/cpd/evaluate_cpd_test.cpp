#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include "jobs/cpd/reference_goal.h"
#include "jobs/kinds.h"
#include "jobs/table/table.h"
#include "tests/jobs/fpcb/sequences.h"
#include "tests/jobs/models/fake_context.h"
#include "tests/jobs/models/golden_array.h"
#include "tests/jobs/models/temporary_folder.h"

using namespace nightshift::jobs;
using nightshift::tests::bytes_of;
using nightshift::tests::FakeContext;
using nightshift::tests::has;
using nightshift::tests::refusal;
using nightshift::tests::TemporaryFolder;
using nlohmann::json;

namespace {

void run(const char* kind, const json& params, FakeContext& context) {
    const Kind* found = find_kind(kind);
    REQUIRE(found != nullptr);
    found->make(complete_params(*found, params))->run(context);
}

json report_of(const FakeContext& context) {
    return json::parse(std::ifstream(context.output() / "report.json"));
}

std::string generated(const std::filesystem::path& root, const json& counts) {
    FakeContext context(root);
    run("generate", {{"counts", counts}, {"seed", 5}}, context);
    return (context.output() / "dataset").string();
}

}  // namespace

TEST_CASE("evaluate goal=cpd: against true frames, beside detectors that know nothing") {
    const TemporaryFolder folder;
    const std::string dataset = generated(folder.path() / "set", {{"normal", 200},
                                                                  {"light_distortion", 20},
                                                                  {"crack", 60},
                                                                  {"uv_overcured", 20},
                                                                  {"micro_crack", 40},
                                                                  {"pre_damage", 40},
                                                                  {"thick_panel", 10}});
    FakeContext context(folder.path() / "evaluate");
    run("evaluate", {{"dataset", dataset}, {"goal", "cpd"}}, context);
    const json report = report_of(context);
    CHECK(report.at("protocol") == "honest");
    CHECK(report.at("judged") == "test split");
    const json& own = report.at("detectors").at("event");
    CHECK(own.at("within_2_frames").get<double>() >= .7);
    CHECK(own.at("median_error_frames").get<double>() <= 1);
    CHECK(own.at("false_alarm_rate").get<double>() <= .1);
    CHECK(own.at("groups").contains("crack"));
    CHECK(own.at("groups").at("light_distortion").contains("false_alarm_rate"));
    CHECK(!own.at("groups").contains("thick_panel"));
    // Nobody who knows nothing comes near.
    const json& baselines = report.at("baselines");
    CHECK(baselines.at("random frame").at("within_2_frames").get<double>() < .3);
    CHECK(baselines.at("constant frame").at("within_2_frames").get<double>() < .5);
    CHECK(baselines.at("reference CUSUM").at("within_2_frames").get<double>() <
          own.at("within_2_frames").get<double>() / 2);
    CHECK(report.at("n_threshold_normals").get<int>() + report.at("n_normal").get<int>() == 220);
    const Table scores = read_table(context.output() / "scores.csv");
    CHECK(scores.rows() == 390);
    CHECK(scores.columns()[1].name == "frame");
    const std::string page = bytes_of(context.output() / "report.html");
    CHECK(has(page, "변화점 평가"));
    CHECK(has(page, "random frame"));
    CHECK(!has(page, "http"));
    CHECK(context.artifacts.at("report.html") == "report");
}

TEST_CASE("evaluate goal=cpd: what it cannot judge it refuses") {
    const TemporaryFolder folder;
    FakeContext context(folder.path());
    CHECK(has(refusal([&] { run("evaluate", {{"goal", "cpd"}}, context); }), "give dataset"));
    const std::string normal = generated(folder.path() / "normal", {{"normal", 30}});
    CHECK(has(refusal([&] {
                  run("evaluate", {{"goal", "cpd"}, {"dataset", normal}}, context);
              }),
              "no_labels"));
    CHECK(has(refusal([&] {
                  run("evaluate", {{"goal", "cpd"}, {"dataset", normal}, {"protocol", "compat"}}, context);
              }),
              "no sequence of goal1"));
}

TEST_CASE("evaluate goal=cpd: the reference's report of its own bundles") {
    const TemporaryFolder folder;
    // A bundle as the reference's data set script writes it, with a crack frame of its own invention.
    const auto from = nightshift::tests::data_folder() / "bundles" / "s_crack";
    const auto to = folder.path() / "set" / "crack_in_bending" / "crack_0001";
    std::filesystem::create_directories(to.parent_path());
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
    json metadata = json::parse(std::ifstream(to / "metadata.json"));
    metadata["goal"] = "goal1";
    metadata["label"] = 1;
    metadata["crack_frame"] = 40;
    std::filesystem::remove(to / "metadata.json");
    std::ofstream(to / "metadata.json") << metadata.dump(2);
    FakeContext context(folder.path() / "evaluate");
    run("evaluate", {{"goal", "cpd"}, {"dataset", (folder.path() / "set").string()}, {"protocol", "compat"}},
        context);
    const json report = report_of(context);
    const json& row = report.at("results").at(0);
    CHECK(row.at("path") == "crack_in_bending/crack_0001");
    CHECK(row.at("crack_frame") == 40);
    CHECK(row.at("detected") == json({4, 21, 32, 38, 42, 45, 48, 51, 54, 59}));
    CHECK(row.at("best_match") == 38);  // as near as 42, and earlier
    CHECK(row.at("error_frames") == 2);
    CHECK(report.at("n_evaluated") == 1);
    CHECK(report.at("mean_error_frames") == 2.0);
    CHECK(report.at("within_5_frames_pct") == 100.0);
    // Field by field the reference's, in its order.
    const auto golden =
        nlohmann::ordered_json::parse(std::ifstream(nightshift::tests::kGoldenFolder + "cpd/goal1_cpd.json"));
    const auto own = nlohmann::ordered_json::parse(std::ifstream(context.output() / "report.json"));
    const auto keys = [](const nlohmann::ordered_json& object) {
        std::vector<std::string> out;
        for (const auto& item : object.items()) out.push_back(item.key());
        return out;
    };
    CHECK(keys(own) == keys(golden));
    CHECK(keys(own.at("results").at(0)) == keys(golden.at("results").at(0)));
    CHECK(has(bytes_of(context.output() / "report.html"), "say nothing about a detector"));
}

TEST_CASE("reference report: figures are rounded as the reference rounds them, the window steps in") {
    std::vector<ReferenceCase> cases(3);
    for (std::size_t i = 0; i < cases.size(); ++i) {
        cases[i].series.sequence = "s" + std::to_string(i);
        for (int f = 0; f < 60; ++f) {
            // A quiet signal whose spread grows: too small for the sum, not for the ratio.
            cases[i].series.values.push_back(1 + (f >= 30 && f % 2 == 0 ? .02 : 0));
            cases[i].series.frames.push_back(f);
        }
    }
    cases[0].crack_frame = 30, cases[1].crack_frame = 31, cases[2].crack_frame = 59;
    const auto report = reference_cpd_report(cases);
    CHECK(report.at("n_evaluated") == 3);
    const int first = report.at("results").at(0).at("error_frames").get<int>();
    CHECK(first <= 2);
    CHECK(report.at("within_5_frames_pct") == 66.7);
    const double mean = report.at("mean_error_frames").get<double>();
    CHECK(std::abs(mean * 100 - std::round(mean * 100)) < 1e-9);
}
