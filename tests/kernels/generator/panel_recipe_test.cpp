#include "kernels/panel_recipe.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <set>

#include "kernels/track_plan.h"

using namespace nightshift::kernels;

namespace {
double degrees(double radians) {
    return radians * 180 / std::numbers::pi;
}
}  // namespace

TEST_CASE("recipe: easy panels end at the reference's angles") {
    // Final bend angles of the reference for 60 frames, as its frame_metrics.csv rounds them.
    CHECK(degrees(bend_angles(draw_recipe(PanelClass::kNormal, 0, 1, Difficulty::kEasy)).back()) ==
          doctest::Approx(166.6574).epsilon(1e-6));
    CHECK(degrees(bend_angles(draw_recipe(PanelClass::kPreDamage, 3, 1, Difficulty::kEasy)).back()) ==
          doctest::Approx(156.4565).epsilon(1e-6));
}

TEST_CASE("recipe: easy events happen where the reference's generator has them") {
    CHECK(draw_recipe(PanelClass::kCrack, 0, 1, Difficulty::kEasy).event_frame == 42);
    CHECK(draw_recipe(PanelClass::kUvOvercured, 0, 1, Difficulty::kEasy).event_frame == 36);
    CHECK(draw_recipe(PanelClass::kMicroCrack, 0, 1, Difficulty::kEasy).event_frame == 41);
    CHECK(draw_recipe(PanelClass::kNormal, 0, 1, Difficulty::kEasy).event_frame == -1);
}

TEST_CASE("recipe: no two sequences share a stream") {
    std::set<std::uint32_t> streams;
    for (int panel = 0; panel < kPanelClasses; ++panel) {
        for (std::uint32_t i = 0; i < 200; ++i) {
            streams.insert(draw_recipe(static_cast<PanelClass>(panel), i, 9, Difficulty::kStandard).stream);
        }
    }
    CHECK(streams.size() == 1400);
}

TEST_CASE("recipe: standard draws stay in their ranges and do not depend on the class where they must not") {
    double normal_noise = 0, crack_noise = 0;
    for (std::uint32_t i = 0; i < 400; ++i) {
        for (const PanelClass panel : {PanelClass::kNormal, PanelClass::kCrack}) {
            const PanelRecipe r = draw_recipe(panel, i, 5, Difficulty::kStandard);
            CHECK(r.points >= 200);
            CHECK(r.points <= 260);
            CHECK(r.noise_px >= .12);
            CHECK(r.noise_px <= .45);
            CHECK(std::abs(r.rotation) <= 5 * std::numbers::pi / 180);
            (panel == PanelClass::kNormal ? normal_noise : crack_noise) += r.noise_px / 400;
            if (panel == PanelClass::kCrack) {
                CHECK(r.event_frame >= 26);
                CHECK(r.event_frame <= 48);
                const double share = r.damage.gain * r.damage.width * std::sqrt(2 * std::numbers::pi);
                CHECK(share >= .05);
                CHECK(share <= .32);
            } else {
                CHECK(r.damage.gain == 0);
                CHECK(r.event_frame == -1);
            }
        }
    }
    CHECK(normal_noise == doctest::Approx(.285).epsilon(.05));
    CHECK(crack_noise == doctest::Approx(normal_noise).epsilon(.07));
}

TEST_CASE("recipe: damage grows at the event and not before") {
    for (std::uint32_t i = 0; i < 20; ++i) {
        const PanelRecipe r = draw_recipe(PanelClass::kMicroCrack, i, 5, Difficulty::kHard);
        const TrackPlan plan = make_plan(r, 1);
        REQUIRE(r.event_frame > 0);
        const auto event = static_cast<std::size_t>(r.event_frame);
        CHECK(plan.frames[event - 1].damage == doctest::Approx(r.damage_before));
        CHECK(plan.frames[event].damage == 1.0f);
    }
}
