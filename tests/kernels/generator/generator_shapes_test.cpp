#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#include "kernels/generator.h"
#include "tests/kernels/every_variant.h"
#include "tests/kernels/generator/drawn_tracks.h"

using namespace nightshift::kernels;
using nightshift::tests::hash_of;
using nightshift::tests::on_every_variant;
using nightshift::tests::tracks_of;

namespace {

/// A panel of so many points and frames, with outliers in every frame.
TrackPlan plan_of(int points, int frames, int units) {
    PanelRecipe recipe = draw_recipe(PanelClass::kPreDamage, 5, 20260219, Difficulty::kHard, frames);
    recipe.points = points;
    recipe.noise_mode = NoiseMode::kOutlier;
    recipe.is_distorted = true;
    return make_plan(recipe, units);
}

}  // namespace

// As the hashes of whole data sets: bits that every machine and build must give.
TEST_CASE("generator shapes: the bits of odd, tiny and the largest panels, in other units, with outliers") {
    struct Shape {
        int points, frames, units;
        std::uint64_t hash;
    };
    for (const Shape s :
         {Shape{1, 60, 1, 12754495351322479453ull}, Shape{2, 60, 4, 6359903457220303884ull},
          Shape{3, 5, 1, 9447624092580923320ull}, Shape{17, 1, 10, 2730852470222978084ull},
          Shape{255, 60, 16, 17714831154831324345ull}, Shape{257, 7, 2, 8536799309615073956ull},
          Shape{kGeneratePointsMax - 1, 3, 17, 15489050461554753433ull},
          Shape{kGeneratePointsMax, 4, 1, 5044781960344900252ull}}) {
        CAPTURE(s.points);
        CAPTURE(s.frames);
        const TrackPlan plan = plan_of(s.points, s.frames, s.units);
        on_every_variant([&] { CHECK(hash_of(tracks_of(plan)) == s.hash); });
    }
}

TEST_CASE("generator shapes: outliers are there") {
    TrackPlan plan = plan_of(200, 10, 16);
    const auto with = tracks_of(plan);
    for (PlanFrame& frame : plan.frames) frame.outlier_ratio = 0;
    const auto without = tracks_of(plan);
    std::size_t moved = 0;
    for (std::size_t i = 0; i < with.x.size(); ++i) moved += with.x[i] != without.x[i] ? 1 : 0;
    CHECK(moved > 10);
    CHECK(moved < with.x.size() / 10);
}

TEST_CASE("generator shapes: nothing comes of no frames or no points, what does not fit is refused") {
    TrackPlan plan = plan_of(9, 3, 1);
    TrackPlan none = plan;
    none.frames.clear();
    CHECK_NOTHROW(generate_tracks_cpu(none, {nullptr, nullptr}));
    none = plan;
    none.points.clear();
    CHECK_NOTHROW(generate_tracks_cpu(none, {nullptr, nullptr}));

    const auto refuses = [](const TrackPlan& bad) {
        std::vector<std::int16_t> x(bad.points.size() * bad.frames.size(), 7), y = x;
        CHECK_THROWS_AS(generate_tracks_cpu(bad, {x.data(), y.data()}), std::invalid_argument);
        for (const std::int16_t value : x) REQUIRE(value == 7);
    };
    TrackPlan bad = plan;
    bad.points.resize(kGeneratePointsMax + 1);
    refuses(bad);
    for (const float units : {18.0F, 0.0F, -1.0F, std::nanf("")}) {
        bad = plan;
        bad.units_per_pixel = units;
        refuses(bad);
    }
    for (const float edge : {-1.0F, 40'000.0F, std::nanf("")}) {
        bad = plan;
        bad.y_max = edge;
        refuses(bad);
    }
    for (const float turn : {1e9F, std::nanf(""), std::numeric_limits<float>::infinity()}) {
        bad = plan;
        bad.frames[2].turn = turn;
        refuses(bad);
        bad = plan;
        bad.points[4].base = turn;
        refuses(bad);
    }
    PanelRecipe recipe = draw_recipe(PanelClass::kNormal, 0, 1, Difficulty::kEasy);
    for (const int points : {-1, 0, kGeneratePointsMax + 1}) {
        recipe.points = points;
        CHECK_THROWS_AS(make_plan(recipe, 1), std::invalid_argument);
    }
    recipe.points = 200;
    for (const int units : {-1, 0, 18}) CHECK_THROWS_AS(make_plan(recipe, units), std::invalid_argument);
    recipe.frames = -1;
    CHECK_THROWS_AS(make_plan(recipe, 1), std::invalid_argument);
    recipe.frames = 0;
    CHECK(make_plan(recipe, 1).frames.empty());
}

TEST_CASE("generator shapes: a place that is no number lies at 0 on every variant") {
    TrackPlan plan = plan_of(40, 2, 1);
    plan.frames[1].origin_x = std::nanf("");
    plan.frames[1].origin_y = std::numeric_limits<float>::infinity();
    on_every_variant([&] {
        const auto tracks = tracks_of(plan);
        for (std::size_t p = 0; p < 40; ++p) {
            CHECK(tracks.x[40 + p] == 0);
            CHECK(tracks.y[40 + p] == 1079);
        }
    });
}
