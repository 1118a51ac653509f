#include "kernels/panel_features.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "kernels/generator.h"
#include "tests/kernels/every_variant.h"

using namespace nightshift::kernels;

namespace {

std::vector<double> features_of(const PanelRecipe& recipe, int units = 1) {
    std::vector<std::int16_t> x(static_cast<std::size_t>(recipe.points) *
                                static_cast<std::size_t>(recipe.frames)),
        y(x.size());
    generate_tracks_cpu(make_plan(recipe, units), {x.data(), y.data()});
    TrackView view;
    view.x = x;
    view.y = y;
    view.points = recipe.points;
    view.frames = recipe.frames;
    view.units_per_pixel = units;
    view.fps = recipe.fps;
    return panel_features(view);
}

double feature(const std::vector<double>& values, const std::string& name) {
    const auto& names = panel_feature_names();
    const auto at = std::find_if(names.begin(), names.end(), [&](const auto& n) { return n.name == name; });
    REQUIRE(at != names.end());
    return values[static_cast<std::size_t>(at - names.begin())];
}

/// Share of pairs (damaged, normal) in which the damaged one has the larger value.
double auc(const std::vector<double>& normal, const std::vector<double>& damaged) {
    double wins = 0;
    for (const double n : normal) {
        for (const double d : damaged) wins += d > n ? 1 : d == n ? .5 : 0;
    }
    return wins / (static_cast<double>(normal.size()) * static_cast<double>(damaged.size()));
}

}  // namespace

TEST_CASE("panel features: names are unique and as many as values") {
    const auto& names = panel_feature_names();
    std::set<std::string> unique;
    for (const auto& name : names) unique.insert(name.name);
    CHECK(unique.size() == names.size());
    CHECK(features_of(draw_recipe(PanelClass::kCrack, 0, 1, Difficulty::kStandard)).size() == names.size());
}

TEST_CASE("panel features: the same bits with every CPU variant") {
    for (int panel = 0; panel < kPanelClasses; ++panel) {
        CAPTURE(panel);
        const PanelRecipe recipe = draw_recipe(static_cast<PanelClass>(panel), 3, 11, Difficulty::kStandard);
        std::vector<double> first;
        nightshift::tests::on_every_variant([&] {
            const std::vector<double> found = features_of(recipe, 4);
            if (first.empty()) first = found;
            CHECK(found == first);
        });
    }
}

TEST_CASE("panel features: every value is finite, whatever the tracks") {
    TrackView view;
    view.points = 80;
    view.frames = 30;
    std::vector<std::int16_t> x(2400), y(2400, 0);
    std::vector<std::uint8_t> present;
    std::uint32_t state = 12345;
    const auto check = [&] {
        view.x = x;
        view.y = y;
        view.present = present;
        for (const double value : panel_features(view)) CHECK(std::isfinite(value));
    };
    SUBCASE("all points in one place") {
        check();
    }
    SUBCASE("noise alone") {
        for (auto* plane : {&x, &y}) {
            for (auto& value : *plane)
                value = static_cast<std::int16_t>((state = state * 1664525u + 1013904223u) >> 16);
        }
        check();
    }
    SUBCASE("frames without any point") {
        present.assign(2400, 1);
        std::fill(present.begin() + 800, present.begin() + 880, std::uint8_t{0});
        check();
    }
}

TEST_CASE("panel features: the dynamics come out as they were put in") {
    PanelRecipe recipe = draw_recipe(PanelClass::kNormal, 0, 4, Difficulty::kEasy);
    recipe.noise_mode = NoiseMode::kNone;
    recipe.noise_px = .1;
    recipe.alpha = .15;
    recipe.angle_ratio = .9;
    const auto values = features_of(recipe, 16);
    CHECK(std::exp(feature(values, "alpha")) == doctest::Approx(.15).epsilon(.05));
    CHECK(feature(values, "end_angle") == doctest::Approx(.9).epsilon(.02));
    CHECK(std::abs(feature(values, "snap")) < .03);
}

TEST_CASE("panel features: a sudden kink is found at its frame and place") {
    PanelRecipe recipe = draw_recipe(PanelClass::kCrack, 0, 4, Difficulty::kStandard);
    recipe.damage = {.25 / (.015 * 2.5066), .6, .015};
    recipe.damage_before = .1;
    recipe.event_frame = 34;
    recipe.fold.gain = 0;
    recipe.slip_frame = -1;
    recipe.is_distorted = false;
    recipe.burst_first = -1;
    recipe.shock = 2;
    recipe.noise_px = .2;
    const auto values = features_of(recipe);
    CHECK(feature(values, "onset_frame") == doctest::Approx(34.0 / 60).epsilon(.05));
    CHECK(feature(values, "kink_place") == doctest::Approx(.6).epsilon(.05));
    CHECK(std::expm1(feature(values, "onset_sudden_z")) > 8);
    CHECK(feature(values, "shock_frame") == doctest::Approx(34.0 / 60).epsilon(.07));
}

TEST_CASE("panel features: damage separates on standard data, no single feature does it alone") {
    std::vector<std::vector<double>> normal, crack;
    for (std::uint32_t i = 0; i < 60; ++i) {
        normal.push_back(features_of(draw_recipe(PanelClass::kNormal, i, 11, Difficulty::kStandard)));
        crack.push_back(features_of(draw_recipe(PanelClass::kCrack, i, 11, Difficulty::kStandard)));
    }
    const auto& names = panel_feature_names();
    double best = 0;
    for (std::size_t j = 0; j < names.size(); ++j) {
        std::vector<double> a, b;
        for (const auto& row : normal) a.push_back(row[j]);
        for (const auto& row : crack) b.push_back(row[j]);
        const double value = auc(a, b);
        best = std::max({best, value, 1 - value});
    }
    CHECK(best > .85);
    CHECK(best < .98);  // the leak guard: standard data must not be separable by one number
}
