#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>

#include "jobs/fpcb/frame_metrics.h"
#include "jobs/fpcb/python_text.h"
#include "jobs/fpcb/text_bundle.h"
#include "jobs/fpcb/vector_table.h"
#include "jobs/kinds.h"
#include "jobs/models/percentile.h"
#include "jobs/runtime/sha256.h"
#include "jobs/table/table.h"
#include "tests/jobs/fpcb/compat_cases.h"
#include "tests/jobs/models/fake_context.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::tests;
using nlohmann::json;

namespace {

jobs::Sequence sequence_of(const std::string& name) {
    return name == "x_irregular" ? jobs::read_bundle(data_folder() / "reader/x_irregular").sequence
                                 : compat_case(name);
}

template <typename Fill>
std::string text_by(const Fill& fill) {
    std::string out;
    fill([&](std::string_view piece) { out += piece; });
    return out;
}

/// NumPy's exponential is not rounded as libm's is, so crack_risk, the last column, may differ in its last
/// digit.
std::string without_last_column(const std::string& csv) {
    std::string out;
    std::istringstream lines(csv);
    for (std::string line; std::getline(lines, line);) out += line.substr(0, line.rfind(',')) + "\n";
    return out;
}

json golden() {
    return json::parse(bytes_of(data_folder() / "golden/compat/vectors.json"));
}

kernels::CompatRisk risk_by(const json& v) {
    kernels::CompatRisk r;
    r.strain_cap = v.at("strain_cap");
    r.concentration_cap = v.at("curvature_concentration_cap");
    r.angle_cap_deg = v.at("bend_angle_cap_deg");
    r.impact_cap = v.at("impact_cap_px_s2");
    r.strain_weight = v.at("w_strain");
    r.stress_weight = v.at("w_stress");
    r.concentration_weight = v.at("w_curvature_concentration");
    r.angle_weight = v.at("w_bend_angle");
    r.impact_weight = v.at("w_impact");
    r.steepness = v.at("sigmoid_steepness");
    r.centre = v.at("sigmoid_center");
    return r;
}

void run(const json& params, FakeContext& context) {
    const jobs::Kind kind = jobs::vectors_kind();
    kind.make(jobs::complete_params(kind, params))->run(context);
}

}  // namespace

TEST_CASE("vectors: tables and summaries as the reference wrote them, byte for byte") {
    const json cases = golden().at("tables");
    REQUIRE(cases.size() == 7);
    for (const json& one : cases) {
        const std::string name = one.at("name").get<std::string>();
        CAPTURE(name);
        const jobs::Sequence s = sequence_of(name);
        const jobs::VectorTable table = jobs::vector_table(s, 0, 0);
        const auto summary = jobs::vector_summary(table, s);
        const std::string csv = text_by([&](const jobs::TextSink& put) { put_vectors_csv(table, s, put); });
        CHECK(jobs::sha256_of(without_last_column(csv)) ==
              one.at("vectors_csv_without_risk").get<std::string>());
        const auto risk = one.value("crack_risk", std::vector<double>());
        for (std::size_t i = 0; i < risk.size(); ++i)
            CHECK(table.vectors.crack_risk.at(i) == doctest::Approx(risk[i]).epsilon(1e-12));
        CHECK(jobs::sha256_of(text_by([&](const jobs::TextSink& put) { put_vectors_txt(table, s, put); })) ==
              one.at("vectors_txt").get<std::string>());
        CHECK(jobs::sha256_of(jobs::python_json(summary)) == one.at("summary_json").get<std::string>());
        CHECK(jobs::sha256_of(jobs::vector_summary_text(summary)) ==
              one.at("summary_txt").get<std::string>());
    }
}

TEST_CASE("vectors: another speed or scale than the sequence's own") {
    const json cases = golden().at("with_options");
    REQUIRE(cases.size() == 3);
    for (const json& one : cases) {
        const json& options = one.at("options");
        const jobs::Sequence s = sequence_of(one.at("name").get<std::string>());
        const jobs::VectorTable table =
            jobs::vector_table(s, options.value("fps", 0.0), options.value("meters_per_pixel_override", 0.0));
        CHECK(json::parse(jobs::python_json(jobs::vector_summary(table, s))) == one.at("summary"));
    }
}

TEST_CASE("vectors: surrogates and risk, with and without frame metrics, for every way to weigh them") {
    const json risk = json::parse(bytes_of(data_folder() / "golden/risk/risk.json"));
    int cases = 0;
    for (const json& one : risk.at("results")) {
        const jobs::Sequence s = compat_case(one.at("bundle").get<std::string>());
        const kernels::FrameMetrics metrics = jobs::frame_metrics_of(s);
        const auto found =
            kernels::compat_vectors(jobs::view_of(s), one.at("with_metrics").get<bool>() ? &metrics : nullptr,
                                    risk_by(risk.at("variants").at(one.at("variant").get<std::string>())));
        const auto& values = found.crack_risk;
        CHECK(*std::max_element(values.begin(), values.end()) ==
              doctest::Approx(one.at("max_risk").get<double>()).epsilon(1e-12));
        CHECK(kernels::pairwise_sum(values) / double(values.size()) ==
              doctest::Approx(one.at("mean_risk").get<double>()).epsilon(1e-12));
        CHECK(jobs::percentile(values, 95) ==
              doctest::Approx(one.at("p95_risk").get<double>()).epsilon(1e-12));
        ++cases;
    }
    CHECK(cases == 32);
    const jobs::Sequence s = compat_case("e_noise0");
    const kernels::FrameMetrics metrics = jobs::frame_metrics_of(s);
    for (const bool with : {true, false}) {
        const auto expected = jobs::read_table(data_folder() / "golden/risk" /
                                               (with ? "e_noise0_metrics.csv" : "e_noise0_nometrics.csv"));
        const auto found = kernels::compat_vectors(jobs::view_of(s), with ? &metrics : nullptr);
        REQUIRE(expected.rows() == found.rows());
        const auto strain = expected.numbers("strain_surrogate"),
                   stress = expected.numbers("stress_surrogate"),
                   impact = expected.numbers("impact_surrogate"), crack = expected.numbers("crack_risk");
        double worst = 0;
        const auto compare = [&](double a, double b) {
            worst = std::max(worst, std::abs(a - b) / std::max(std::abs(b), 1e-300) * (a != b));
        };
        for (std::size_t i = 0; i < found.rows(); ++i) {
            compare(found.strain[i], strain[i]);
            compare(found.strain[i], stress[i]);
            compare(found.impact[i], impact[i]);
            compare(found.crack_risk[i], crack[i]);
        }
        CHECK(worst < 1e-12);
    }
}

TEST_CASE("vectors: crack_risk of whole tables") {
    const json about = json::parse(bytes_of(data_folder() / "golden/risk/crack_risk.json"));
    const std::string bytes = bytes_of(data_folder() / "golden/risk/crack_risk.bin");
    REQUIRE(jobs::sha256_of(bytes) == about.at("sha256").get<std::string>());
    std::vector<double> expected(bytes.size() / sizeof(double));
    std::memcpy(expected.data(), bytes.data(), bytes.size());
    std::size_t at = 0;
    for (const json& one : about.at("tables")) {
        const jobs::Sequence s = sequence_of(one.at("name").get<std::string>());
        const jobs::VectorTable table = jobs::vector_table(s, 0, 0);
        const int first = one.at("first_index"), step = one.at("index_step");
        double worst = 0;
        std::size_t compared = 0;
        for (std::size_t i = 0; i < table.vectors.rows(); ++i) {
            if ((table.vectors.point[i] + 1 - first) % step != 0) continue;
            REQUIRE(at < expected.size());
            worst = std::max(worst, std::abs(table.vectors.crack_risk[i] / expected[at++] - 1));
            ++compared;
        }
        CHECK(compared == one.at("rows").get<std::size_t>());
        CHECK(worst < 1e-12);
    }
    CHECK(at == expected.size());
}

TEST_CASE("vectors: a sequence without points or without a frame rate is refused by its name") {
    jobs::Sequence s = odd_sequence("s");
    s.info.fps = 0;
    CHECK(has(refusal([&] { jobs::vector_table(s, 0, 0); }), "no_fps: sequence s has no frame rate"));
    CHECK(jobs::vector_table(s, 25, 0).fps == 25);
    s.info.fps = 25;
    s.present.assign(s.x.size(), 0);
    CHECK(has(refusal([&] { jobs::vector_table(s, 0, 0); }),
              "bad_bundle: sequence s has no point in any frame"));
}

TEST_CASE("vectors: the kind writes its five files, and names the sequences where it has to choose") {
    const ScratchFolder scratch;
    FakeContext one(scratch / "one"), many(scratch / "many"), bare(scratch / "bare");
    run({{"dataset", (data_folder() / "bundles").string()}, {"sequence", "s_crack"}}, one);
    for (const char* name : {"vectors.csv", "vectors.txt", "summary.json", "summary.txt", "vector_map.svg"})
        CHECK(one.artifacts.count(name) == 1);
    const std::string map = bytes_of(one.output() / "vector_map.svg");
    CHECK(map.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    CHECK(has(map, "<style>"));
    CHECK(has(refusal([&] {
                  run({{"dataset", (data_folder() / "bundles").string()}}, many);
              }),
              "has 7 sequences; give sequence, one of s_crack"));
    CHECK(has(refusal([&] {
                  run({{"dataset", (data_folder() / "bundles").string()}, {"sequence", "s_crak"}}, many);
              }),
              "Did you mean 's_crack'?"));
    run({{"dataset", (data_folder() / "reader/e_one_frame").string()}}, bare);
    CHECK(bare.artifacts.count("vector_map.svg") == 0);
    CHECK(bare.lines.at(0) == "no vector_map.svg: a map needs two frames");
}

TEST_CASE("vectors: without a scale there are no SI columns, without metrics no metric columns") {
    jobs::Sequence s = odd_sequence("s");
    s.info.meters_per_pixel = 0;
    const jobs::VectorTable table = jobs::vector_table(s, 0, 0);
    const std::string csv = text_by([&](const jobs::TextSink& put) { put_vectors_csv(table, s, put); });
    CHECK_FALSE(has(csv, "_si"));
    CHECK_FALSE(has(csv, "bend_angle_deg"));
    CHECK(has(csv, "\n3,2,1,-32768,0.0,"));
    CHECK(jobs::vector_summary(table, s).at("meters_per_pixel").is_null());
    CHECK_FALSE(has(jobs::vector_summary_text(jobs::vector_summary(table, s)), "meters_per_pixel="));
}
