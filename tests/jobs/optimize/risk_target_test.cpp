#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <sstream>

#include "jobs/analyze/risk_params.h"
#include "jobs/fpcb/frame_metrics.h"
#include "jobs/fpcb/vector_table.h"
#include "jobs/kinds.h"
#include "jobs/optimize/risk_front.h"
#include "tests/jobs/analyze/case_dataset.h"
#include "tests/jobs/models/fake_context.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/seed.h"

using namespace nightshift;
using namespace nightshift::tests;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;

json params_of(const fs::path& dataset, json more = json::object()) {
    more["target"] = "risk";
    more["dataset"] = dataset.string();
    return jobs::complete_params(jobs::optimize_kind(), more);
}

void run(const json& params, FakeContext& context) {
    jobs::optimize_kind().make(params)->run(context);
}

std::vector<json> trials_of(const FakeContext& context) {
    std::istringstream in(bytes_of(context.output() / "trials.jsonl"));
    std::vector<json> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
    return lines;
}

json best_of(const FakeContext& context) {
    return json::parse(bytes_of(context.output() / "best.json"));
}

/// Nine cases of the reference's grid with their labels; every third is of the test split where asked for.
fs::path grid_dataset(const fs::path& folder, const json& grid, bool has_split) {
    std::vector<jobs::Sequence> sequences;
    for (std::size_t i = 0; i < grid.at("bundles").size(); ++i) {
        sequences.push_back(compat_case(grid.at("bundles")[i]));
        sequences.back().info.name = grid.at("bundles")[i];
        sequences.back().info.label = grid.at("points")[0].at("labels")[i];
        sequences.back().info.split = !has_split   ? jobs::Split::kNone
                                      : i % 3 == 2 ? jobs::Split::kTest
                                                   : jobs::Split::kTrain;
    }
    return write_sequences(folder, sequences);
}

json golden_grid() {
    return json::parse(bytes_of(data_folder() / "golden/risk/risk.json")).at("grid_search");
}

}  // namespace

TEST_CASE("risk target: the front has the largest risk of all points, whatever the weights") {
    std::mt19937_64 generator(seed());
    std::uniform_real_distribution<double> uniform;
    for (const char* name : {"s_crack", "s_uv_overcured", "n_mixed", "e_six_frames", "e_one_frame"}) {
        const jobs::Sequence s = compat_case(name);
        const kernels::FrameMetrics metrics = jobs::frame_metrics_of(s);
        for (const bool with : {true, false}) {
            const kernels::FrameMetrics* known = with ? &metrics : nullptr;
            const auto front = jobs::risk_front(kernels::compat_vectors(jobs::view_of(s), known), known, {});
            CHECK(front.size() < s.x.size());
            for (int trial = 0; trial < 8; ++trial) {
                kernels::CompatRisk risk;
                for (const jobs::RiskParam& param : jobs::risk_params()) {
                    // Now and then a weight of 0, the edge at which points tie.
                    if (param.name.starts_with("w_"))
                        risk.*param.value = std::max(0.0, uniform(generator) - .3);
                }
                risk.strain_weight += .01;
                risk.centre = uniform(generator);
                risk.steepness = 1 + 12 * uniform(generator);
                const auto all = kernels::compat_vectors(jobs::view_of(s), known, risk).crack_risk;
                CHECK(jobs::largest_risk(front, risk) ==
                      doctest::Approx(*std::max_element(all.begin(), all.end())).epsilon(1e-12));
            }
        }
    }
}

TEST_CASE("risk target: the reference's grid, number for number") {
    const ScratchFolder scratch;
    const json grid = golden_grid();
    FakeContext context(scratch / "run");
    run(params_of(grid_dataset(scratch / "data", grid, false), {{"method", "grid"}}), context);
    const auto trials = trials_of(context);
    REQUIRE(trials.size() == grid.at("points").size());
    for (std::size_t i = 0; i < trials.size(); ++i) {
        const json& expected = grid.at("points")[i];
        CHECK(trials[i].at("params").at("sigmoid_center") == expected.at("sigmoid_center"));
        CHECK(trials[i].at("params").at("sigmoid_steepness") == expected.at("sigmoid_steepness"));
        CHECK(trials[i].at("params").at("w_strain") == .25);
        CHECK(trials[i].at("value").get<double>() ==
              doctest::Approx(expected.at("auc").get<double>()).epsilon(1e-12));
    }
    const json best = best_of(context);
    CHECK(best.at("value").get<double>() ==
          doctest::Approx(grid.at("best").at("auc").get<double>()).epsilon(1e-12));
    for (const char* name : {"sigmoid_center", "sigmoid_steepness"})
        CHECK(best.at("params").at(name) == grid.at("best").at(name));
    CHECK(best.at("metric") == "ROC AUC of the largest risk of all labelled sequences");
    CHECK(best.at("verdict").at("judged").is_null());
}

TEST_CASE("risk target: tuned outside the test split, judged inside it") {
    const ScratchFolder scratch;
    const json grid = golden_grid();
    FakeContext context(scratch / "run");
    run(params_of(grid_dataset(scratch / "data", grid, true), {{"method", "grid"}}), context);
    // Labels 0 0 0 0 0 1 1 1 1; places 2, 5 and 8 are the test split.
    const auto& scores = grid.at("points")[0].at("scores");
    int right = 0;
    for (const int damaged : {6, 7}) {
        for (const int normal : {0, 1, 3, 4}) right += scores[damaged] > scores[normal] ? 1 : 0;
    }
    const json best = best_of(context);
    CHECK(best.at("value").get<double>() == doctest::Approx(right / 8.0));
    CHECK(best.at("metric") == "ROC AUC of the largest risk of training and validation sequences");
    const json& verdict = best.at("verdict");
    CHECK(verdict.at("judged") == "test split");
    CHECK(verdict.at("damaged") == 2);
    CHECK(verdict.at("normal") == 1);
    CHECK(verdict.at("roc_auc") == 1.0);
    CHECK(verdict.at("roc_auc_defaults") == 1.0);
    CHECK(verdict.at("without_frame_metrics") == 0);
    CHECK(right < 8);
}

TEST_CASE("risk target: TPE searches the reference's ranges, goes on after a stop, and ends alike") {
    const ScratchFolder scratch;
    const fs::path dataset = grid_dataset(scratch / "data", golden_grid(), true);
    const json params = params_of(dataset, {{"trials", 14}});
    FakeContext whole(scratch / "whole"), first(scratch / "first"), second(scratch / "second"),
        third(scratch / "third");
    run(params, whole);
    const std::pair<const char*, std::pair<double, double>> ranges[] = {
        {"sigmoid_center", {.3, .7}}, {"sigmoid_steepness", {4, 12}},
        {"w_strain", {.1, .4}},       {"w_stress", {.1, .35}},
        {"w_bend_angle", {.05, .25}}, {"w_curvature_concentration", {.1, .35}},
        {"w_impact", {.1, .35}}};
    const auto trials = trials_of(whole);
    REQUIRE(trials.size() == 14);
    for (const auto& [name, range] : ranges) {
        CAPTURE(std::string(name));
        double low = 1e9, high = -1e9;
        for (const json& trial : trials) {
            const double value = trial.at("params").at(name);
            low = std::min(low, value);
            high = std::max(high, value);
        }
        CHECK(low >= range.first);
        CHECK(high <= range.second);
        CHECK(high - low > .4 * (range.second - range.first));
    }
    first.stop_at_poll = 1;  // while sequences are read
    CHECK_THROWS_AS(run(params, first), jobs::StopRequested);
    second.resume = first.saved();
    second.yield_at = 12;
    CHECK_THROWS_AS(run(params, second), jobs::StopRequested);
    third.resume = second.saved();
    run(params, third);
    for (const char* name : {"trials.jsonl", "best.json"})
        CHECK(bytes_of(third.output() / name) == bytes_of(whole.output() / name));
}

TEST_CASE("risk target: what cannot be searched is refused with what to do") {
    const ScratchFolder scratch;
    const auto refused = [&](const fs::path& dataset, const json& more) {
        return refusal([&] {
            FakeContext context(scratch / "refused");
            run(params_of(dataset, more), context);
        });
    };
    const auto normals = write_cases(scratch / "normals", {{"s_normal", 0, true}, {"n_outlier", 0, true}});
    CHECK(has(refused(normals, json::object()), "no_labels: "));
    CHECK(has(refused(normals, json::object()), "has 0 damaged and 2 normal sequences"));
    const auto unlabelled =
        write_cases(scratch / "unlabelled", {{"s_normal", -1, true}, {"s_crack", -1, true}});
    CHECK(has(refused(unlabelled, json::object()), "has 0 damaged and 0 normal sequences"));
    const auto both = write_cases(scratch / "both", {{"s_normal", 0, true}, {"s_crack", 1, true}});
    json weightless;
    for (const char* name : {"w_strain", "w_stress", "w_curvature_concentration", "w_bend_angle", "w_impact"})
        weightless[name] = 0;
    const std::string weighed = refused(both, {{"trials", 2}, {"space", weightless}});
    CAPTURE(weighed);
    CHECK(has(weighed, "all five weights of the risk are 0"));
    CHECK(has(refused(both, {{"space", {{"w_strain", 2}}}}), "can go from 0.0 to 1.0"));
    CHECK(has(refused(both, {{"features", "x.csv"}}), "target=risk does not look at 'features'"));
    CHECK(has(refused(both, {{"detector", "pelt"}}), "is for target=cpd; leave it out"));
    const std::string missing = refusal([&] {
        FakeContext context(scratch / "missing");
        run(jobs::complete_params(jobs::optimize_kind(), {{"target", "risk"}}), context);
    });
    CHECK(has(missing, "missing_param: target=risk looks at tracks: give dataset"));
}
