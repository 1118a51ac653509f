#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#include "kernels/compat_features.h"
#include "kernels/compat_generator.h"
#include "tests/kernels/compat/random_tracks.h"
#include "tests/kernels/every_variant.h"
#include "tests/support/seed.h"

using namespace nightshift::kernels;
using nightshift::tests::on_every_variant;
using nightshift::tests::RandomTracks;

namespace {

constexpr std::size_t kColumns = kCompatColumns;

double largest_of(const CompatFeatures& f, std::size_t column) {
    double largest = 0;
    for (std::size_t i = column; i < f.rows.size(); i += kColumns)
        largest = std::max(largest, std::abs(f.rows[i]));
    return largest;
}

double difference(const CompatFeatures& a, const CompatFeatures& b, std::size_t column) {
    double worst = 0;
    for (std::size_t i = column; i < a.rows.size(); i += kColumns)
        worst = std::max(worst, std::abs(a.rows[i] - b.rows[i]));
    return worst;
}

/// Means and maxima within 1e-5 of the column's largest, deviations of the largest of the three columns of
/// their surrogate.
void check_base(const CompatFeatures& exact, const CompatFeatures& found) {
    REQUIRE(found.rows.size() == exact.rows.size());
    for (std::size_t j = 0; j < 18; ++j) {
        CAPTURE(compat_columns()[j]);
        double scale = largest_of(exact, j);
        if (j % 3 == 2) scale = std::max(scale, largest_of(exact, j - 1));
        CHECK(difference(exact, found, j) <= 1e-5 * scale);
    }
    for (std::size_t k = 0; k < exact.global.size(); ++k)
        CHECK(found.global[k] == doctest::Approx(exact.global[k]).epsilon(1e-5));
}

}  // namespace

TEST_CASE("float features: within 1e-4 of a column's largest value in a table of every kind of panel") {
    CompatFeatures kept, exact_table, found_table;
    for (int panel = 0; panel < kPanelClasses; ++panel) {
        for (int mode = 0; mode < 6; ++mode) {
            CompatConfig config;
            config.panel = static_cast<PanelClass>(panel);
            config.noise_mode = static_cast<NoiseMode>(mode);
            config.points = 200 + 7 * panel + 3 * mode;
            config.frames = 60;
            config.noise_px = .12 + .05 * mode;
            config.seed = 100'000U + static_cast<unsigned>(6 * panel + mode);
            std::vector<std::int16_t> x(static_cast<std::size_t>(config.points * config.frames)), y(x.size());
            const FrameMetrics metrics = compat_tracks(config, {x.data(), y.data()});
            const TrackView view{x, y, {}, config.points, config.frames, 1, config.fps};
            const CompatFeatures exact = compat_features(view, metrics);
            compat_features(view, metrics, Precision::fp32, kept);
            check_base(exact, kept);
            exact_table.rows.insert(exact_table.rows.end(), exact.rows.begin(), exact.rows.end());
            found_table.rows.insert(found_table.rows.end(), kept.rows.begin(), kept.rows.end());
        }
    }
    REQUIRE(found_table.rows.size() == exact_table.rows.size());
    for (std::size_t j = 0; j < kColumns; ++j) {
        CAPTURE(compat_columns()[j]);
        CHECK(difference(exact_table, found_table, j) <= 1e-4 * largest_of(exact_table, j));
    }
}

TEST_CASE("float features: gaps, odd sizes, other units, the same bits with every CPU variant") {
    struct Shape {
        int points, frames;
        double missing, fps, units;
    };
    for (const Shape s : {Shape{230, 60, 0, 30, 1}, Shape{201, 61, 0, 29.97, 16}, Shape{61, 30, .2, 30, 1},
                          Shape{7, 12, .8, 25, 8}, Shape{1, 1, 0, 30, 1}, Shape{9, 2, 0, 30, 1},
                          Shape{2500, 3, .05, 1e5, 2}, Shape{16, 20, 0, 1e-5, 1}, Shape{33, 20, 1, 30, 1}}) {
        CAPTURE(s.points);
        CAPTURE(s.missing);
        const RandomTracks tracks(s.points, s.frames, s.missing, nightshift::tests::seed());
        const TrackView view = tracks.view(s.fps, s.units);
        const CompatFeatures exact = compat_features(view, tracks.metrics);
        CompatFeatures first;
        on_every_variant([&] {
            const CompatFeatures found = compat_features(view, tracks.metrics, Precision::fp32);
            check_base(exact, found);
            if (first.rows.empty()) first = found;
            CHECK(found.rows == first.rows);
            CHECK(found.global == first.global);
        });
    }
}

TEST_CASE("float features: the largest jumps that tracks can hold, and points that rest between them") {
    constexpr int kPoints = 40, kFrames = 12;
    std::vector<std::int16_t> x, y;
    for (int f = 0; f < kFrames; ++f) {
        for (int p = 0; p < kPoints; ++p) {
            const bool is_far = (p % 3 == 0) && (f / 2) % 2 == 1;
            x.push_back(is_far ? std::numeric_limits<std::int16_t>::max()
                               : std::numeric_limits<std::int16_t>::min());
            y.push_back(static_cast<std::int16_t>(is_far ? -32768 : p % 3 == 1 ? 32767 : f));
        }
    }
    const std::vector<double> values(kFrames, .01);
    const FrameMetrics metrics{values, values, values};
    for (const double fps : {1e-6, 30.0, 1e6}) {
        const TrackView view{x, y, {}, kPoints, kFrames, 1, fps};
        check_base(compat_features(view, metrics), compat_features(view, metrics, Precision::fp32));
    }
}

TEST_CASE("float features: a panel that does not move has the exact ones") {
    const std::vector<std::int16_t> x(30 * 20, 800), y(30 * 20, 500);
    const std::vector<double> none(20, 0.0);
    const TrackView view{x, y, {}, 30, 20, 1, 30};
    const CompatFeatures found = compat_features(view, {none, none, none}, Precision::fp32);
    CHECK(found.rows[0] == 0);
    CHECK(found.rows == compat_features(view, {none, none, none}).rows);
}

TEST_CASE("compat features: bad input is refused, odd input has an answer, in both precisions") {
    const RandomTracks tracks(20, 12, 0, 1);
    const std::vector<double> short_metrics(3, 1.0);
    for (const Precision precision : {Precision::fp64, Precision::fp32}) {
        const auto refuses = [&](const TrackView& view, const FrameMetrics& metrics) {
            CHECK_THROWS_AS(compat_features(view, metrics, precision), std::invalid_argument);
        };
        TrackView view = tracks.view();
        refuses(view, {tracks.metrics.bend_angle_deg, tracks.metrics.curvature_concentration, short_metrics});
        view.y = view.y.first(view.y.size() - 1);
        refuses(view, tracks.metrics);
        view = tracks.view();
        const std::vector<std::uint8_t> present(7, 1);
        view.present = present;
        refuses(view, tracks.metrics);
        for (const double bad : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
            refuses(tracks.view(bad), tracks.metrics);
            refuses(tracks.view(30, bad), tracks.metrics);
        }
        view = tracks.view();
        view.points = -1;
        refuses(view, tracks.metrics);

        view = tracks.view();
        view.frames = 0;
        const CompatFeatures nothing = compat_features(view, {}, precision);
        CHECK(nothing.rows.empty());
        CHECK(nothing.global == std::array<double, 6>{0, 20, 0, 0, 0, 0});
        view.frames = 12;
        view.points = 0;
        const CompatFeatures pointless = compat_features(view, tracks.metrics, precision);
        CHECK(pointless.rows[5] == 0);
        CHECK(pointless.global == std::array<double, 6>{12, 0, 0, 0, 0, 0});

        FrameMetrics metrics = tracks.metrics;
        metrics.est_max_strain[4] = std::nan("");
        const CompatFeatures found = compat_features(tracks.view(), metrics, precision);
        const CompatFeatures usual = compat_features(tracks.view(), tracks.metrics, precision);
        for (std::size_t j = 0; j < kColumns; ++j) {
            const double value = found.rows[4 * kColumns + j];
            const bool is_of_strain = compat_columns()[j].starts_with("strain_surrogate") ||
                                      compat_columns()[j].starts_with("stress_surrogate") ||
                                      compat_columns()[j] == "est_max_strain";
            CAPTURE(compat_columns()[j]);
            if (!is_of_strain) CHECK(value == usual.rows[4 * kColumns + j]);
            if (j < 6 || j == 20) CHECK(std::isnan(value));
        }
    }
    CHECK_THROWS_AS(compat_features(tracks.view(1e8), tracks.metrics, Precision::fp32),
                    std::invalid_argument);
    CHECK_NOTHROW(compat_features(tracks.view(1e8), tracks.metrics));
}
