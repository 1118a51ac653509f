#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "jobs/fpcb/frame_metrics.h"
#include "jobs/fpcb/text_bundle.h"
#include "jobs/table/table.h"
#include "kernels/compat_features.h"
#include "tests/jobs/fpcb/sequences.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

kernels::CompatFeatures features_of(const std::filesystem::path& folder,
                                    kernels::Precision precision = kernels::Precision::fp64) {
    jobs::Sequence s = jobs::read_bundle(folder).sequence;
    return kernels::compat_features(jobs::view_of(s), jobs::frame_metrics_of(s), precision);
}

bool is_loose(const std::string& name) {
    for (const char* part : {"skewness", "kurtosis", "frequency", "spectral"}) {
        if (has(name, part)) return true;
    }
    return false;
}

/// Largest relative difference of a column, on the scale of its largest entry where values are near 0.
double difference(const std::vector<double>& expected, const kernels::CompatFeatures& found, std::size_t j) {
    double largest = 1e-300, worst = 0;
    for (const double value : expected) {
        if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
    }
    for (std::size_t f = 0; f < found.rows.size() / kernels::kCompatColumns; ++f) {
        worst =
            std::max(worst, std::abs(found.rows[f * kernels::kCompatColumns + j] - expected[f]) / largest);
    }
    return worst;
}

}  // namespace

TEST_CASE("compat features: the reference's 75 columns on its own bundles") {
    for (const char* name : {"s_normal", "s_crack", "s_pre_damage", "s_uv_overcured"}) {
        CAPTURE(name);
        const auto expected =
            jobs::read_table(data_folder() / "features" / ("frames_" + std::string(name) + ".csv"));
        const auto found = features_of(data_folder() / "bundles" / name);
        const auto& columns = kernels::compat_columns();
        REQUIRE(columns.size() == 75);
        for (std::size_t j = 0; j < columns.size(); ++j) {
            CAPTURE(columns[j]);
            REQUIRE(expected.columns().at(j + 1).name == columns[j]);
            CHECK(difference(expected.numbers(columns[j]), found, j) < (is_loose(columns[j]) ? 1e-8 : 1e-9));
        }
    }
}

TEST_CASE("compat features: in single precision within 1e-4 of the reference's") {
    for (const char* name : {"s_normal", "s_crack", "s_pre_damage", "s_uv_overcured"}) {
        CAPTURE(name);
        const auto expected =
            jobs::read_table(data_folder() / "features" / ("frames_" + std::string(name) + ".csv"));
        const auto found = features_of(data_folder() / "bundles" / name, kernels::Precision::fp32);
        const auto& columns = kernels::compat_columns();
        for (std::size_t j = 0; j < columns.size(); ++j) {
            CAPTURE(columns[j]);
            CHECK(difference(expected.numbers(columns[j]), found, j) < 1e-4);
        }
    }
}

TEST_CASE("compat features: edge cases and the extra row per sequence") {
    for (const char* name : {"e_one_frame", "e_one_point", "e_noise0"}) {
        CAPTURE(name);
        const auto expected = jobs::read_table(data_folder() / "features" / (std::string(name) + "_all.csv"));
        const auto found = features_of(data_folder() / "reader" / name);
        const auto& columns = kernels::compat_columns();
        for (std::size_t j = 0; j < columns.size(); ++j) {
            CAPTURE(columns[j]);
            CHECK(difference(expected.numbers(columns[j]), found, j) < (is_loose(columns[j]) ? 1e-8 : 1e-9));
        }
        for (std::size_t k = 0; k < kernels::kCompatGlobalColumns; ++k) {
            const double value = expected.numbers(kernels::compat_global_columns()[k]).back();
            CHECK(found.global[k] == doctest::Approx(value).epsilon(1e-9));
        }
    }
}

TEST_CASE("compat features: the sequence rows of whole bundles") {
    const auto expected = jobs::read_table(data_folder() / "features/global_rows.csv");
    const auto names = expected.text("bundle");
    for (const char* name : {"s_normal", "s_crack", "s_pre_damage", "s_uv_overcured"}) {
        const auto row =
            static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
        const auto found = features_of(data_folder() / "bundles" / name);
        for (std::size_t k = 0; k < kernels::kCompatGlobalColumns; ++k) {
            const double value = expected.numbers(kernels::compat_global_columns()[k])[row];
            CHECK(found.global[k] == doctest::Approx(value).epsilon(1e-9));
        }
    }
}

TEST_CASE("frame metrics: a sequence without them is told to use native") {
    jobs::Sequence s = odd_sequence("s");
    CHECK(has(refusal([&] { jobs::frame_metrics_of(s); }), "set=native"));
    s.side_files.push_back(
        {"frame_metrics.csv",
         "frame,time_s,bend_angle_deg,curvature_concentration,est_max_strain\r\n3,0.0,1.0,1.0,0.0\r\n"});
    CHECK(has(refusal([&] { jobs::frame_metrics_of(s); }), "no row for frame 7"));
}
