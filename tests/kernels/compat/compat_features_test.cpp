#include "kernels/compat_features.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/compat_vectors.h"
#include "tests/kernels/compat/random_tracks.h"
#include "tests/kernels/every_variant.h"
#include "tests/support/seed.h"

using namespace nightshift::kernels;
using nightshift::tests::on_every_variant;
using nightshift::tests::RandomTracks;

namespace {

/// Mean, largest and deviation of the values of each frame's points, from the table of points.
std::vector<std::array<double, 3>> by_frame(const CompatVectors& v, const std::vector<double>& values,
                                            int frames) {
    std::vector<std::array<double, 3>> out(static_cast<std::size_t>(frames));
    for (int f = 0; f < frames; ++f) {
        std::vector<double> here;
        for (std::size_t i = 0; i < v.rows(); ++i) {
            if (v.frame[i] == f) here.push_back(values[i]);
        }
        if (here.empty()) continue;
        long double sum = 0, squares = 0;
        for (const double value : here) sum += value;
        const long double mean = sum / static_cast<long double>(here.size());
        for (const double value : here) squares += (value - mean) * (value - mean);
        const long double others = std::max<long double>(static_cast<long double>(here.size()) - 1, 1);
        out[static_cast<std::size_t>(f)] = {static_cast<double>(mean),
                                            *std::max_element(here.begin(), here.end()),
                                            static_cast<double>(std::sqrt(squares / others))};
    }
    return out;
}

}  // namespace

TEST_CASE("compat features: statistics of the table of points, the same bits with every CPU variant") {
    const std::uint64_t seed = nightshift::tests::seed();
    struct Shape {
        int points, frames;
        double missing, fps, units;
    };
    for (const Shape s : {Shape{230, 60, 0, 30, 1}, Shape{201, 61, 0, 29.97, 16}, Shape{61, 30, .2, 30, 1},
                          Shape{7, 12, .8, 25, 8}, Shape{1, 1, 0, 30, 1}, Shape{9, 2, 0, 30, 1}}) {
        CAPTURE(s.points);
        CAPTURE(s.missing);
        const RandomTracks tracks(s.points, s.frames, s.missing, seed);
        const TrackView view = tracks.view(s.fps, s.units);
        const CompatVectors v = compat_vectors(view, &tracks.metrics);
        const std::vector<double>* columns[] = {&v.strain,         &v.strain,       &v.impact,
                                                &v.curvature_like, &v.acceleration, &v.speed};
        std::vector<double> first;
        on_every_variant([&] {
            const CompatFeatures found = compat_features(view, tracks.metrics);
            for (std::size_t k = 0; k < 6; ++k) {
                const auto expected = by_frame(v, *columns[k], s.frames);
                double worst = 0, scale = 1e-300;
                for (std::size_t f = 0; f < expected.size(); ++f) {
                    for (std::size_t j = 0; j < 3; ++j) {
                        const double value = found.rows[f * kCompatColumns + 3 * k + j];
                        worst = std::max(worst, std::abs(value - expected[f][j]));
                        scale = std::max(scale, std::abs(expected[f][j]));
                    }
                }
                CAPTURE(k);
                CHECK(worst <= 1e-12 * scale);
            }
            if (first.empty()) first = found.rows;
            CHECK(found.rows == first);
        });
    }
}

TEST_CASE("compat features: a spectrum is that of the plain sums, for odd and even lengths") {
    for (const std::size_t n : {10U, 11U, 60U, 97U}) {
        CAPTURE(n);
        std::vector<double> series(n);
        double mean = 0, power = 0, largest = -1, entropy = 0;
        std::size_t at = 0;
        for (std::size_t i = 0; i < n; ++i)
            series[i] =
                std::sin(.9 * double(i)) + .3 * std::cos(2.2 * double(i) + 1) + .01 * double(i * i % 7);
        for (const double value : series) mean += value / double(n);
        std::vector<double> powers;
        for (std::size_t k = 1; k <= n / 2; ++k) {
            double re = 0, im = 0;
            for (std::size_t i = 0; i < n; ++i) {
                const double angle = 2 * 3.14159265358979323846 * double(i * k % n) / double(n);
                re += (series[i] - mean) * std::cos(angle);
                im += (series[i] - mean) * std::sin(angle);
            }
            powers.push_back(re * re + im * im);
            power += powers.back();
            if (powers.back() > largest) largest = powers.back(), at = k;
        }
        for (const double one : powers) entropy -= one / power * std::log2(one / power);
        const SeriesStatistics found = series_statistics(series, 30);
        CHECK(found.dominant_frequency == doctest::Approx(double(at) * 30 / double(n)).epsilon(1e-14));
        CHECK(found.spectral_power == doctest::Approx(power).epsilon(1e-12));
        CHECK(found.spectral_entropy == doctest::Approx(entropy).epsilon(1e-6));
    }
}
