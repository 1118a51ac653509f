#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "jobs/fpcb/frame_metrics.h"
#include "jobs/kinds.h"
#include "jobs/models/normalizer.h"
#include "jobs/models/percentile.h"
#include "jobs/table/table.h"
#include "kernels/compat_features.h"
#include "kernels/compat_vectors.h"
#include "tests/jobs/fpcb/compat_cases.h"
#include "tests/jobs/models/fake_context.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::tests;
using nlohmann::json;

namespace {

constexpr int kRowsNormal = 3;
// In the order in which the reference stacked them; the first three are the normal ones.
const std::vector<std::string> kStacked{"s_normal", "n_outlier",    "n_scale_jitter",
                                        "s_crack",  "s_pre_damage", "s_uv_overcured"};

std::vector<double> doubles_of(const std::filesystem::path& file) {
    const std::string bytes = bytes_of(file);
    std::vector<double> out(bytes.size() / sizeof(double));
    std::memcpy(out.data(), bytes.data(), out.size() * sizeof(double));
    return out;
}

bool is_loose(const std::string& name) {
    for (const char* part : {"skewness", "kurtosis", "frequency", "spectral"}) {
        if (has(name, part)) return true;
    }
    return false;
}

/// The six bundles' tables one after the other, as `extract` makes them of a generated data set.
jobs::Table stacked_table(const std::string& set) {
    const ScratchFolder scratch;
    FakeContext made(scratch / "made"), extracted(scratch / "extracted");
    json list = json::array();
    for (std::size_t i = 0; i < kStacked.size(); ++i) {
        for (const json& one : compat_cases()) {
            if (one.at("entry").at("name") != kStacked[i]) continue;
            list.push_back(one.at("entry"));
            list.back()["name"] = std::to_string(i) + kStacked[i];
        }
    }
    const auto run = [](const jobs::Kind& kind, const json& params, FakeContext& context) {
        kind.make(jobs::complete_params(kind, params))->run(context);
    };
    run(jobs::generate_kind(), {{"rng", "compat"}, {"sequences", list}}, made);
    run(jobs::extract_kind(),
        {{"dataset", (made.output() / "dataset").string()}, {"set", set}, {"format", "csv"}}, extracted);
    return jobs::read_table(extracted.output() / "features.csv");
}

/// Largest difference of a column on the scale of its largest entry; missing values have to be missing.
double difference(const std::vector<double>& found, const std::vector<double>& expected) {
    double largest = 1e-300, worst = 0;
    for (const double value : expected) largest = std::fmax(largest, std::abs(value));
    for (std::size_t i = 0; i < expected.size(); ++i) {
        if (std::isnan(expected[i]) != std::isnan(found.at(i))) return 1;
        if (!std::isnan(expected[i])) worst = std::max(worst, std::abs(found[i] - expected[i]) / largest);
    }
    return worst;
}

struct Moments {
    double mean = 0, max = 0, deviation = 0;
};

Moments moments(const std::vector<double>& values) {
    Moments out{0, values.at(0), 0};
    for (const double value : values) {
        out.mean += value / double(values.size());
        out.max = std::max(out.max, value);
    }
    for (const double value : values) out.deviation += (value - out.mean) * (value - out.mean);
    out.deviation = std::sqrt(out.deviation / double(values.size() - 1));
    return out;
}

}  // namespace

TEST_CASE("compat table: stacked tables, normaliser and z-scores of a generated data set") {
    for (const int width : {21, 81}) {
        CAPTURE(width);
        const std::string suffix = "_" + std::to_string(width);
        const jobs::Table table = stacked_table("compat" + std::to_string(width));
        std::vector<std::string> names = kernels::compat_columns();
        if (width == 21) names.resize(21);
        if (width == 81) {
            const auto& global = kernels::compat_global_columns();
            names.insert(names.end(), global.begin(), global.end());
        }
        const auto columns = static_cast<std::size_t>(width);
        const std::size_t per_sequence = width == 81 ? 61 : 60;
        REQUIRE(names.size() == columns);
        REQUIRE(table.rows() == 6 * per_sequence);
        std::vector<double> values = table.matrix(names);
        const std::vector<double> raw = doubles_of(data_folder() / ("features/raw" + suffix + ".bin")),
                                  scored = doubles_of(data_folder() / ("features/zscored" + suffix + ".bin"));
        REQUIRE(raw.size() == values.size());
        REQUIRE(scored.size() == values.size());
        const jobs::Normalizer normalizer =
            jobs::fit_normalizer(std::span(values).first(kRowsNormal * per_sequence * columns), columns);
        const auto expected = jobs::read_table(data_folder() / ("features/normaliser" + suffix + ".csv"));
        const auto mean = expected.numbers("mean"), deviation = expected.numbers("std"),
                   zeroed = expected.numbers("zeroed");
        CHECK(expected.text("column") == names);
        std::vector<double> scores = values;
        normalizer.apply(scores);
        for (std::size_t j = 0; j < columns; ++j) {
            CAPTURE(names[j]);
            const double tolerance = is_loose(names[j]) ? 1e-8 : 1e-9;
            CHECK(normalizer.mean[j] == doctest::Approx(mean[j]).epsilon(tolerance));
            CHECK(normalizer.is_zeroed[j] == zeroed[j]);
            if (zeroed[j] == 0)
                CHECK(normalizer.deviation[j] == doctest::Approx(deviation[j]).epsilon(tolerance));
            std::vector<double> a, b, c, d;
            for (std::size_t at = j; at < values.size(); at += columns) {
                a.push_back(values[at]);
                b.push_back(raw[at]);
                c.push_back(scores[at]);
                d.push_back(std::isnan(scored[at]) ? 0 : scored[at]);  // NaN where the models take 0
            }
            CHECK(difference(a, b) < tolerance);
            CHECK(difference(c, d) < 1e-8);
        }
    }
}

TEST_CASE("compat table: the reference's 75 columns of noisy sequences") {
    for (const char* name : {"n_outlier", "n_scale_jitter"}) {
        CAPTURE(name);
        const jobs::Sequence s = compat_case(name);
        const kernels::CompatFeatures found =
            kernels::compat_features(jobs::view_of(s), jobs::frame_metrics_of(s));
        const auto expected =
            jobs::read_table(data_folder() / "features" / ("frames_" + std::string(name) + ".csv"));
        const auto& names = kernels::compat_columns();
        REQUIRE(expected.rows() == s.frame_number.size());
        for (std::size_t j = 0; j < names.size(); ++j) {
            CAPTURE(names[j]);
            std::vector<double> values;
            for (std::size_t f = 0; f < expected.rows(); ++f)
                values.push_back(found.rows[f * kernels::kCompatColumns + j]);
            CHECK(difference(values, expected.numbers(names[j])) < (is_loose(names[j]) ? 1e-8 : 1e-9));
        }
    }
}

TEST_CASE("compat table: the option table with risk, of a sequence too short for spectra") {
    const jobs::Sequence s = compat_case("e_six_frames");
    const kernels::FrameMetrics metrics = jobs::frame_metrics_of(s);
    const kernels::CompatFeatures found = kernels::compat_features(jobs::view_of(s), metrics);
    const kernels::CompatVectors vectors = kernels::compat_vectors(jobs::view_of(s), &metrics);
    const auto expected = jobs::read_table(data_folder() / "features/six_frames_all.csv");
    REQUIRE(expected.rows() == 7);
    const auto& names = kernels::compat_columns();
    for (std::size_t j = 0; j < names.size(); ++j) {
        CAPTURE(names[j]);
        std::vector<double> a, b = expected.numbers(names[j]);
        b.pop_back();  // the sequence's own row
        for (std::size_t f = 0; f < 6; ++f) a.push_back(found.rows[f * kernels::kCompatColumns + j]);
        CHECK(difference(a, b) < (is_loose(names[j]) ? 1e-8 : 1e-9));
    }
    for (std::size_t k = 0; k < kernels::kCompatGlobalColumns; ++k) {
        CHECK(found.global[k] ==
              doctest::Approx(expected.numbers(kernels::compat_global_columns()[k]).back()).epsilon(1e-9));
    }
    std::vector<double> mean, max, deviation;
    for (int f = 0; f < 6; ++f) {
        std::vector<double> risks;
        for (std::size_t i = 0; i < vectors.rows(); ++i) {
            if (vectors.frame[i] == f) risks.push_back(vectors.crack_risk[i]);
        }
        const Moments m = moments(risks);
        mean.push_back(m.mean);
        max.push_back(m.max);
        deviation.push_back(m.deviation);
    }
    const auto without_last = [&](const char* name) {
        auto values = expected.numbers(name);
        values.pop_back();
        return values;
    };
    CHECK(difference(mean, without_last("crack_risk_mean")) < 1e-12);
    CHECK(difference(max, without_last("crack_risk_max")) < 1e-12);
    CHECK(difference(deviation, without_last("crack_risk_std")) < 1e-9);
    CHECK(expected.numbers("max_crack_risk").back() ==
          doctest::Approx(*std::max_element(max.begin(), max.end())).epsilon(1e-12));
    CHECK(expected.numbers("p95_crack_risk").back() ==
          doctest::Approx(jobs::percentile(vectors.crack_risk, 95)).epsilon(1e-12));
}

TEST_CASE("compat table: the option table of single points") {
    const jobs::Sequence s = compat_case("e_six_frames");
    const kernels::FrameMetrics metrics = jobs::frame_metrics_of(s);
    const kernels::CompatVectors found = kernels::compat_vectors(jobs::view_of(s), &metrics);
    const auto expected = jobs::read_table(data_folder() / "features/six_frames_points.csv");
    REQUIRE(expected.rows() == found.rows());
    std::map<std::pair<int, int>, std::size_t> rows;
    for (std::size_t i = 0; i < found.rows(); ++i) rows[{found.frame[i], found.point[i] + 1}] = i;
    const auto frame = expected.numbers("frame"), index = expected.numbers("index");
    const std::pair<const char*, const std::vector<double>*> columns[] = {
        {"x", &found.x},
        {"y", &found.y},
        {"strain_surrogate", &found.strain},
        {"stress_surrogate", &found.strain},
        {"impact_surrogate", &found.impact},
        {"curvature_like", &found.curvature_like},
        {"acceleration", &found.acceleration},
        {"speed", &found.speed}};
    for (const auto& [name, values] : columns) {
        CAPTURE(std::string(name));
        std::vector<double> ordered;
        for (std::size_t i = 0; i < frame.size(); ++i)
            ordered.push_back(values->at(rows.at({static_cast<int>(frame[i]), static_cast<int>(index[i])})));
        CHECK(difference(ordered, expected.numbers(name)) < 1e-12);
    }
}

TEST_CASE("compat table: statistics of plain series") {
    const json cases = json::parse(bytes_of(data_folder() / "features/plain_series.json"));
    REQUIRE(cases.size() == 7);
    for (const auto& [name, one] : cases.items()) {
        CAPTURE(name);
        const auto values = one.at("values").get<std::vector<double>>();
        const auto found = kernels::series_statistics(values, one.at("fps").get<double>());
        const std::pair<const char*, double> all[] = {{"skewness", found.skewness},
                                                      {"kurtosis", found.kurtosis},
                                                      {"autocorr_lag1", found.lag1},
                                                      {"autocorr_lag2", found.lag2},
                                                      {"dominant_frequency", found.dominant_frequency},
                                                      {"spectral_power", found.spectral_power},
                                                      {"spectral_entropy", found.spectral_entropy}};
        for (const auto& [key, value] : all) {
            CAPTURE(std::string(key));
            CHECK(std::abs(value - one.at(key).get<double>()) <=
                  1e-8 * std::max(1.0, std::abs(one.at(key).get<double>())));
        }
    }
}
