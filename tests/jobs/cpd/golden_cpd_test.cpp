#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "jobs/cpd/series.h"
#include "jobs/fpcb/text_bundle.h"
#include "kernels/change_points.h"
#include "tests/jobs/models/golden_array.h"

using namespace nightshift;
using nightshift::tests::read_column;
using nlohmann::json;
using Points = std::vector<std::int64_t>;
using Values = std::vector<double>;

namespace {

std::string folder() {
    return nightshift::tests::kGoldenFolder + "cpd/";
}

json read_cases(const std::string& name) {
    std::ifstream in(folder() + name);
    REQUIRE(in.good());
    return json::parse(in);
}

const Values& signal_of(const std::string& name) {
    static std::map<std::string, Values> known;
    auto [at, is_new] = known.try_emplace(name);
    if (is_new) at->second = read_column(folder() + "signal_" + name + ".csv", 0);
    return at->second;
}

template <typename T>
void take(const json& params, const char* name, T& into) {
    if (params.contains(name)) into = params.at(name).get<double>();
}
void take(const json& params, const char* name, int& into) {
    if (params.contains(name)) into = params.at(name).get<int>();
}

kernels::CusumOptions cusum_of(const json& params) {
    kernels::CusumOptions out;
    take(params, "threshold", out.threshold);
    take(params, "sensitivity", out.sensitivity);
    take(params, "target", out.target);
    take(params, "min_size", out.min_size);
    return out;
}

kernels::WindowOptions window_of(const json& params) {
    kernels::WindowOptions out;
    take(params, "window_size", out.window_size);
    take(params, "step_size", out.step_size);
    take(params, "threshold_ratio", out.threshold_ratio);
    take(params, "min_size", out.min_size);
    return out;
}

/// Infinite where the reference's are, else 1e-9 relative.
void check_scores(const Values& found, const json& file) {
    if (!file.is_string()) return;
    const Values expected = read_column(folder() + file.get<std::string>(), 0);
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        CAPTURE(i);
        if (!std::isfinite(expected[i]))
            CHECK(found[i] == expected[i]);
        else
            CHECK(std::abs(found[i] - expected[i]) <= 1e-9 * std::max(1.0, std::abs(expected[i])));
    }
}

/// What the reference does with a list of signals: each without its missing values.
std::vector<Values> features_of(const json& names) {
    static const std::map<std::string, std::string> kSignals{
        {"a", "acc_crack"}, {"b", "acc_uv_overcured"}, {"c", "step60"}, {"d", "ramp60"}};
    std::vector<Values> out;
    for (const json& name : names) {
        Values values = signal_of(kSignals.at(name));
        if (name == "d") values.erase(values.begin(), values.begin() + 2);
        out.push_back(std::move(values));
    }
    return out;
}

Points detect(const std::string& method, const Values& x, const json& options) {
    if (method == "cusum") return kernels::cusum_compat(x, cusum_of(options)).change_points;
    if (method == "window") return kernels::window_compat(x, window_of(options)).change_points;
    kernels::PeltOptions pelt;
    take(options, "pen", pelt.pen);
    take(options, "min_size", pelt.min_size);
    return kernels::pelt_compat(x, pelt).change_points;
}

kernels::Combine rule_of(const std::string& word) {
    return word == "union"          ? kernels::Combine::kUnion
           : word == "intersection" ? kernels::Combine::kIntersection
                                    : kernels::Combine::kMajority;
}

/// 1 where a change point lies in the range (null: anywhere), as the reference's search scores a trial.
int hits(const Points& points, const json& range) {
    if (range.is_null()) return points.empty() ? 0 : 1;
    const auto low = range.at(0).get<std::int64_t>(), high = range.at(1).get<std::int64_t>();
    return std::any_of(points.begin(), points.end(), [&](std::int64_t p) { return p >= low && p <= high; })
               ? 1
               : 0;
}

}  // namespace

TEST_CASE("golden cpd: CUSUM") {
    const json cases = read_cases("cusum.json");
    CHECK(cases.size() >= 96);
    for (const json& each : cases) {
        CAPTURE(each.at("signal"));
        CAPTURE(each.at("params").dump());
        const auto found = kernels::cusum_compat(signal_of(each.at("signal")), cusum_of(each.at("params")));
        CHECK(found.change_points == each.at("change_points").get<Points>());
        check_scores(found.scores, each.at("score_file"));
    }
}

TEST_CASE("golden cpd: windows") {
    const json cases = read_cases("window.json");
    CHECK(cases.size() >= 80);
    for (const json& each : cases) {
        CAPTURE(each.at("signal"));
        CAPTURE(each.at("params").dump());
        const auto found = kernels::window_compat(signal_of(each.at("signal")), window_of(each.at("params")));
        CHECK(found.change_points == each.at("change_points").get<Points>());
        check_scores(found.scores, each.at("score_file"));
    }
}

TEST_CASE("golden cpd: PELT, and exact segmentation costs no more") {
    const json cases = read_cases("pelt.json").at("cases");
    CHECK(cases.size() >= 200);
    for (const json& each : cases) {
        const auto signal = each.at("signal").get<std::string>();
        CAPTURE(signal);
        CAPTURE(each.at("params").dump());
        kernels::PeltOptions options;
        take(each.at("params"), "pen", options.pen);
        take(each.at("params"), "jump", options.jump);
        take(each.at("params"), "min_size", options.min_size);
        const auto found = kernels::pelt_compat(signal_of(signal), options);
        if (each.at("cost").is_null()) {
            CHECK(found.change_points == each.at("change_points").get<Points>());
            CHECK(std::isnan(found.cost));
            continue;
        }
        const double cost = each.at("cost").get<double>(), allowed = 1e-9 * std::max(cost, 1.0);
        CHECK(std::abs(found.cost - cost) <= allowed);
        const bool has_ties = signal == "step60" || signal == "ramp60" || signal == "const60" ||
                              signal == "zero25" || signal == "ints62";
        if (!has_ties) CHECK(found.change_points == each.at("change_points").get<Points>());
        if (signal != "steps5000")
            CHECK(kernels::pelt_exact(signal_of(signal), options).cost <= cost + allowed);
    }
}

TEST_CASE("golden cpd: several features") {
    const json cases = read_cases("combined.json");
    for (const json& each : cases.at("multi_feature")) {
        const auto method = each.at("method").get<std::string>();
        const bool is_ensemble = method.rfind("ensemble", 0) == 0;
        CAPTURE(each.dump());
        const std::vector<Values> features = features_of(each.at("features"));
        std::vector<Points> lists;
        if (is_ensemble) {
            // Methods are combined as asked; before that each has whatever it found in any feature.
            for (const char* one : {"cusum", "window", "pelt"}) {
                std::vector<Points> own;
                for (const Values& x : features) own.push_back(detect(one, x, each.at("options")));
                lists.push_back(kernels::combine_changes(own, kernels::Combine::kUnion));
            }
        } else {
            for (const Values& x : features) lists.push_back(detect(method, x, each.at("options")));
        }
        const Points found = kernels::combine_changes(lists, rule_of(each.at("combine")));
        CHECK(found == each.at("change_points").get<Points>());
    }
}

TEST_CASE("golden cpd: every trial of the reference's searches over parameters") {
    const json cases = read_cases("combined.json");
    for (const json& each : cases.at("optimisers")) {
        CAPTURE(each.at("signal"));
        const Values& x = signal_of(each.at("signal"));
        double mean = 0, squares = 0;
        for (const double value : x) mean += value / static_cast<double>(x.size());
        for (const double value : x) squares += (value - mean) * (value - mean);
        const double deviation = std::sqrt(squares / static_cast<double>(x.size()));
        std::vector<int> cusum, window;
        for (int h = 0; h < 10; ++h) {
            for (int s = 0; s < 10; ++s) {
                kernels::CusumOptions options;
                options.threshold = .5 + 9.5 * h / 9;
                options.sensitivity = (.1 + 1.9 * s / 9) * deviation;
                cusum.push_back(
                    hits(kernels::cusum_compat(x, options).change_points, each.at("expected_range")));
            }
        }
        for (int w = 5; w < 20; w += 2) {
            for (int r = 0; r < 10; ++r) {
                kernels::WindowOptions options;
                options.window_size = w;
                options.threshold_ratio = 1.2 + 1.8 * r / 9;
                window.push_back(
                    hits(kernels::window_compat(x, options).change_points, each.at("expected_range")));
            }
        }
        CHECK(cusum == each.at("cusum").at("trial_scores").get<std::vector<int>>());
        CHECK(window == each.at("window").at("trial_scores").get<std::vector<int>>());
    }
}

TEST_CASE("golden cpd: the signal of a bundle is the reference's") {
    const jobs::Sequence bundle =
        jobs::read_bundle(std::string(NIGHTSHIFT_SOURCE_FOLDER) + "/tests/data/bundles/s_crack").sequence;
    const jobs::Series found = jobs::peak_acceleration(bundle);
    const Values& expected = signal_of("acc_crack");
    REQUIRE(found.values.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
        CHECK(found.values[i] == doctest::Approx(expected[i]).epsilon(1e-9));
}
