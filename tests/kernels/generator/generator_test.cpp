#include "kernels/generator.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/kernels/every_variant.h"
#include "tests/kernels/generator/drawn_tracks.h"

using namespace nightshift::kernels;
using nightshift::tests::DrawnTracks;
using nightshift::tests::tracks_of;

namespace {

std::uint64_t hash_of(Difficulty difficulty, int units) {
    std::uint64_t hash = 14695981039346656037ull;
    for (int panel = 0; panel < kPanelClasses; ++panel) {
        for (std::uint32_t i = 0; i < 3; ++i) {
            const auto recipe = draw_recipe(static_cast<PanelClass>(panel), i, 20260219, difficulty);
            hash = nightshift::tests::hash_of(tracks_of(make_plan(recipe, units)), hash);
        }
    }
    return hash;
}

}  // namespace

// The contract of every machine and build: if one of these changes, old seeds give other data.
TEST_CASE("generator: the bits of a seed") {
    nightshift::tests::on_every_variant([] {
        CHECK(hash_of(Difficulty::kEasy, 1) == 6814979489882156335ull);
        CHECK(hash_of(Difficulty::kStandard, 1) == 5896766816046863593ull);
        CHECK(hash_of(Difficulty::kHard, 16) == 6959393225598506546ull);
    });
}

TEST_CASE("generator: noise is Gaussian, independent in x and y, and of the size asked for") {
    PanelRecipe recipe = draw_recipe(PanelClass::kNormal, 0, 3, Difficulty::kEasy);
    recipe.noise_mode = NoiseMode::kNone;
    recipe.noise_px = 0;
    const DrawnTracks quiet = tracks_of(make_plan(recipe, 16));
    recipe.noise_px = 2;
    const DrawnTracks noisy = tracks_of(make_plan(recipe, 16));
    std::vector<double> zs;
    double product = 0, lag = 0;
    for (std::size_t i = 0; i < quiet.x.size(); ++i) {
        // Below 0.1 px of the picture's edge clipping would show; the panel is far from it.
        const double dx = (noisy.x[i] - quiet.x[i]) / 32.0, dy = (noisy.y[i] - quiet.y[i]) / 32.0;
        zs.push_back(dx);
        zs.push_back(dy);
        product += dx * dy;
        if (i > 0) lag += dx * zs[2 * i - 2];
    }
    const auto n = static_cast<double>(quiet.x.size());
    CHECK(std::abs(product / n) < 5 / std::sqrt(n));
    CHECK(std::abs(lag / n) < 5 / std::sqrt(n));
    std::sort(zs.begin(), zs.end());
    double distance = 0;
    for (std::size_t i = 0; i < zs.size(); ++i) {
        const double expected = .5 * std::erfc(-zs[i] / std::sqrt(2.0));
        distance = std::max(
            distance, std::abs(expected - (static_cast<double>(i) + .5) / static_cast<double>(zs.size())));
    }
    // Kolmogorov-Smirnov at 1 in 10,000, plus half a step of the sixteenth-pixel rounding.
    CHECK(distance < 2.2 / std::sqrt(static_cast<double>(zs.size())) + .4 / 64);
}

TEST_CASE("generator: a still panel keeps its length and stays in the picture") {
    for (std::uint32_t i = 0; i < 10; ++i) {
        PanelRecipe recipe = draw_recipe(PanelClass::kCrack, i, 3, Difficulty::kEasy);
        recipe.noise_px = 0;
        recipe.noise_mode = NoiseMode::kNone;
        const DrawnTracks t = tracks_of(make_plan(recipe, 16));
        const auto points = static_cast<std::size_t>(recipe.points);
        for (const std::size_t frame : {std::size_t{0}, std::size_t{59}}) {
            double length = 0;
            for (std::size_t p = 1; p < points; ++p) {
                length += std::hypot(t.x[frame * points + p] - t.x[frame * points + p - 1],
                                     t.y[frame * points + p] - t.y[frame * points + p - 1]) /
                          16.0;
            }
            CHECK(length == doctest::Approx(recipe.length_px).epsilon(.005));
        }
        CHECK(*std::min_element(t.x.begin(), t.x.end()) >= 0);
        CHECK(*std::max_element(t.x.begin(), t.x.end()) <= 1919 * 16);
    }
}
