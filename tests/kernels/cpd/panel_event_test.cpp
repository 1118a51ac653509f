#include "kernels/panel_event.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <vector>

#include "kernels/generator.h"

using namespace nightshift::kernels;

namespace {

constexpr std::uint64_t kSeed = 20261;

PanelEvent event_of(const PanelRecipe& recipe) {
    std::vector<std::int16_t> x(static_cast<std::size_t>(recipe.points) *
                                static_cast<std::size_t>(recipe.frames)),
        y(x.size());
    generate_tracks_cpu(make_plan(recipe, 1), {x.data(), y.data()});
    TrackView view;
    view.x = x;
    view.y = y;
    view.points = recipe.points;
    view.frames = recipe.frames;
    view.fps = recipe.fps;
    return panel_event(view);
}

struct Shares {
    double within = 0, alarmed_within = 0;
};

/// Over the four kinds of damage, against normal panels of the same difficulty; one in 100 may alarm.
Shares shares(Difficulty difficulty, std::uint32_t normals, std::uint32_t damaged) {
    std::vector<double> scores;
    for (std::uint32_t i = 0; i < normals; ++i)
        scores.push_back(event_of(draw_recipe(PanelClass::kNormal, i, kSeed, difficulty)).score);
    std::sort(scores.begin(), scores.end(), std::greater<>());
    const double threshold = scores[normals / 100];
    double count = 0;
    Shares out;
    for (const PanelClass panel :
         {PanelClass::kCrack, PanelClass::kUvOvercured, PanelClass::kMicroCrack, PanelClass::kPreDamage}) {
        for (std::uint32_t i = 0; i < damaged; ++i) {
            const PanelRecipe recipe = draw_recipe(panel, i, kSeed, difficulty);
            const PanelEvent event = event_of(recipe);
            const bool is_within = std::abs(event.frame - recipe.event_frame) <= 2;
            out.within += is_within ? 1 : 0;
            out.alarmed_within += is_within && event.score > threshold ? 1 : 0;
            ++count;
        }
    }
    return {out.within / count, out.alarmed_within / count};
}

}  // namespace

TEST_CASE("panel event: the frame and the place of a sudden kink") {
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
    const PanelEvent event = event_of(recipe);
    CHECK(std::abs(event.frame - 34) <= 1);
    CHECK(event.place == doctest::Approx(.6).epsilon(.05));
    CHECK(event.evidence.size() == 60);
    CHECK(event.evidence[34] > 3 * event.evidence[20]);
    // A slip alone is a larger shock than the crack's, but no growth: it must not score as high.
    recipe.damage.gain = 0;
    recipe.event_frame = -1;
    recipe.slip_frame = 34;
    recipe.slip_shock = 2;
    CHECK(event_of(recipe).score < event.score / 2);
}

TEST_CASE("panel event: bars on generated panels") {
    const Shares easy = shares(Difficulty::kEasy, 100, 25);
    CHECK(easy.within >= .98);
    CHECK(easy.alarmed_within >= .96);
    const Shares standard = shares(Difficulty::kStandard, 300, 50);
    CHECK(standard.within >= .80);
    CHECK(standard.alarmed_within >= .48);
    const Shares hard = shares(Difficulty::kHard, 300, 50);
    CHECK(hard.within >= .72);
    CHECK(hard.alarmed_within >= .26);
}

TEST_CASE("panel event: finite, whatever the tracks") {
    TrackView view;
    view.points = 80;
    view.frames = 30;
    const std::vector<std::int16_t> still(2400, 7);
    view.x = still;
    view.y = still;
    const PanelEvent event = panel_event(view);
    CHECK(std::isfinite(event.score));
    CHECK(
        std::all_of(event.evidence.begin(), event.evidence.end(), [](double e) { return std::isfinite(e); }));
}
