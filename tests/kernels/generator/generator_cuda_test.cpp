#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "kernels/backend.h"
#include "kernels/error.h"
#include "kernels/generator.h"
#include "tests/kernels/every_backend.h"
#include "tests/kernels/generator/drawn_tracks.h"

using namespace nightshift::kernels;
using nightshift::tests::DrawnTracks;
using nightshift::tests::on_every_backend;
using nightshift::tests::tracks_of;

namespace {

std::vector<DrawnTracks> tracks_on(Backend& backend, const std::vector<TrackPlan>& plans) {
    std::vector<DrawnTracks> out;
    std::vector<TrackPlanes> planes;
    for (const TrackPlan& plan : plans) {
        const std::size_t values = plan.points.size() * plan.frames.size();
        out.push_back({std::vector<std::int16_t>(values), std::vector<std::int16_t>(values)});
    }
    for (DrawnTracks& tracks : out) planes.push_back({tracks.x.data(), tracks.y.data()});
    generate_tracks(backend, plans, planes);
    return out;
}

TrackPlan plan_of(int points, int frames, int units) {
    PanelRecipe recipe = draw_recipe(PanelClass::kMicroCrack, 3, 20260219, Difficulty::kHard, frames);
    recipe.points = points;
    recipe.noise_mode = NoiseMode::kMixed;
    recipe.is_distorted = points % 2 == 0;
    return make_plan(recipe, units);
}

}  // namespace

TEST_CASE("generator: the same bits on every device, whatever plans come together") {
    std::vector<TrackPlan> plans;
    for (int panel = 0; panel < kPanelClasses; ++panel) {
        for (const Difficulty difficulty : {Difficulty::kEasy, Difficulty::kStandard, Difficulty::kHard})
            plans.push_back(make_plan(draw_recipe(static_cast<PanelClass>(panel), 1, 7, difficulty), 16));
    }
    // Odd, tiny, one frame, none, a tile and one more, the largest.
    for (const TrackPlan& plan : {plan_of(1, 60, 1), plan_of(2, 17, 4), plan_of(33, 1, 10),
                                  plan_of(64, 16, 17), plan_of(64, 0, 1), plan_of(kGeneratePointsMax, 7, 1)})
        plans.push_back(plan);
    TrackPlan pointless = plan_of(5, 5, 1);
    pointless.points.clear();
    plans.push_back(pointless);
    plans.push_back(plan_of(kGeneratePointsMax - 1, 4, 2));
    plans.back().frames[1].origin_x = std::nanf("");
    on_every_backend([&](Backend& backend) {
        const std::vector<DrawnTracks> found = tracks_on(backend, plans);
        for (std::size_t i = 0; i < plans.size(); ++i) {
            CAPTURE(i);
            const DrawnTracks expected = tracks_of(plans[i]);
            CHECK(found[i].x == expected.x);
            CHECK(found[i].y == expected.y);
        }
        CHECK(backend.memory().held_bytes == 0);
    });
}

TEST_CASE("generator: plans that do not fit are refused on every device before anything is drawn") {
    on_every_backend([&](Backend& backend) {
        CHECK_NOTHROW(tracks_on(backend, {}));
        std::vector<TrackPlan> plans{plan_of(9, 3, 1), plan_of(9, 3, 1)};
        plans[1].points.resize(kGeneratePointsMax + 1);
        CHECK_THROWS_AS(tracks_on(backend, plans), std::invalid_argument);
        plans[1] = plans[0];
        plans[1].frames[1].turn = 1e9F;
        CHECK_THROWS_AS(tracks_on(backend, plans), std::invalid_argument);
        CHECK_THROWS_AS(generate_tracks(backend, plans, {}), std::invalid_argument);
    });
}

TEST_CASE("generator: a device without room says so") {
    on_every_backend(
        [&](Backend& backend) {
            const std::vector<TrackPlan> plans{plan_of(600, 60, 1)};
            if (backend.info().kind == BackendKind::cpu) return;
            CHECK_THROWS_AS(tracks_on(backend, plans), OverBudget);
            CHECK(backend.memory().held_bytes == 0);
        },
        std::size_t{100} << 10);
}
