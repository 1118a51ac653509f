#include "kernels/feature_batch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <stdexcept>
#include <vector>

#include "kernels/error.h"
#include "tests/kernels/compat/random_tracks.h"
#include "tests/kernels/every_backend.h"
#include "tests/support/seed.h"

using namespace nightshift::kernels;
using nightshift::tests::on_every_backend;
using nightshift::tests::RandomTracks;

namespace {

constexpr std::size_t kColumns = kCompatColumns;

/// Sequences that live as long as their inputs.
struct Sequences {
    std::deque<RandomTracks> tracks;
    std::vector<FeatureInput> inputs;

    FeatureInput& add(int points, int frames, double missing = 0, double fps = 30, double units = 1) {
        tracks.emplace_back(points, frames, missing, nightshift::tests::seed() + tracks.size());
        inputs.push_back({tracks.back().view(fps, units), &tracks.back().metrics});
        return inputs.back();
    }
};

/// What is usual, odd, tiny, missing, or no number.
Sequences every_kind() {
    Sequences all;
    all.add(230, 60);
    all.add(201, 61, 0, 29.97, 16);
    all.add(61, 30, .2);
    all.add(7, 12, .8, 25, 10);
    all.add(1, 1);
    all.add(9, 2);
    all.add(33, 9);
    all.add(33, 10, .5);
    all.add(5, 3, 1);
    all.add(4, 0);
    all.add(0, 14);
    all.add(2500, 3, .05, 50);
    all.add(12, 700, .1);
    all.add(40, 20);
    all.tracks.back().metrics.est_max_strain[4] = std::nan("");
    all.add(16, 25);
    all.tracks.back().metrics.bend_angle_deg[0] = HUGE_VAL;
    return all;
}

std::vector<CompatFeatures> each_alone(const std::vector<FeatureInput>& inputs, Precision precision) {
    std::vector<CompatFeatures> out;
    for (const FeatureInput& one : inputs)
        out.push_back(compat_features(one.tracks, *one.metrics, precision));
    return out;
}

/// Columns within `tolerance` of the column's largest value in the sequence; what is no number, and the
/// global row, alike.
void check_close(const FeatureBatch& found, const std::vector<CompatFeatures>& expected, double tolerance) {
    std::size_t first = 0;
    REQUIRE(found.global.size() == expected.size() * kCompatGlobalColumns);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        const std::vector<double>& rows = expected[i].rows;
        REQUIRE(found.rows.size() >= first + rows.size());
        for (std::size_t j = 0; j < kColumns; ++j) {
            CAPTURE(compat_columns()[j]);
            double largest = 0, worst = 0;
            bool is_alike = true;
            for (std::size_t at = j; at < rows.size(); at += kColumns) {
                const double a = rows[at], b = found.rows[first + at];
                if (!std::isfinite(a)) {
                    is_alike = is_alike && (std::isnan(a) ? std::isnan(b) : a == b);
                    continue;
                }
                largest = std::max(largest, std::abs(a));
                if (!(std::abs(a - b) <= worst)) worst = std::abs(a - b);
            }
            CHECK(is_alike);
            CHECK(worst <= tolerance * largest);
        }
        for (std::size_t k = 0; k < kCompatGlobalColumns; ++k) {
            const double a = expected[i].global[k], b = found.global[i * kCompatGlobalColumns + k];
            CHECK((std::isnan(a) ? std::isnan(b) : std::abs(a - b) <= tolerance * std::abs(a)));
        }
        first += rows.size();
    }
    CHECK(found.rows.size() == first);
}

TrackPlan plan_of(int points, int frames, int units) {
    PanelRecipe recipe = draw_recipe(PanelClass::kCrack, 2, 20260219, Difficulty::kStandard, frames);
    recipe.points = points;
    return make_plan(recipe, units);
}

}  // namespace

TEST_CASE("feature batch: on the CPU the bits of each sequence alone, with any number of threads") {
    const Sequences all = every_kind();
    for (const Precision precision : {Precision::fp64, Precision::fp32}) {
        for (const int threads : {1, 3, 100}) {
            const FeatureBatch found = feature_batch_cpu(all.inputs, precision, threads);
            std::vector<double> rows, global;
            for (const CompatFeatures& one : each_alone(all.inputs, precision)) {
                rows.insert(rows.end(), one.rows.begin(), one.rows.end());
                global.insert(global.end(), one.global.begin(), one.global.end());
            }
            const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
            CHECK(std::equal(found.rows.begin(), found.rows.end(), rows.begin(), rows.end(), same));
            CHECK(std::equal(found.global.begin(), found.global.end(), global.begin(), global.end(), same));
        }
    }
}

TEST_CASE("feature batch: every device within 1e-9 in double, and as near as float goes in float") {
    const Sequences all = every_kind();
    on_every_backend([&](Backend& backend) {
        check_close(feature_batch(backend, all.inputs, Precision::fp64),
                    each_alone(all.inputs, Precision::fp64), 1e-9);
        // Shapes of two or three frames in a series of such tracks are ill-conditioned: the CPU's float has
        // the same points, so the devices differ by the order of sums alone.
        check_close(feature_batch(backend, all.inputs, Precision::fp32),
                    each_alone(all.inputs, Precision::fp32), 1e-4);
        CHECK(backend.memory().held_bytes == 0);
    });
}

TEST_CASE("feature batch: drawn tracks have the features of tracks that were drawn before") {
    std::vector<TrackPlan> plans{plan_of(230, 60, 1),  plan_of(1, 9, 1),  plan_of(2, 1, 4),
                                 plan_of(257, 17, 16), plan_of(30, 0, 1), plan_of(kGeneratePointsMax, 11, 17),
                                 plan_of(64, 8, 1)};
    std::deque<FrameMetrics> metrics;
    std::vector<std::vector<std::int16_t>> x, y, kept_x, kept_y;
    std::vector<TrackPlanes> planes;
    for (const TrackPlan& plan : plans) {
        const std::vector<double> values(plan.frames.size(), .02);
        metrics.push_back({values, values, values});
        for (auto* all : {&x, &y, &kept_x, &kept_y})
            all->emplace_back(plan.points.size() * plan.frames.size());
    }
    for (std::size_t i = 0; i < plans.size(); ++i) planes.push_back({x[i].data(), y[i].data()});
    on_every_backend([&](Backend& backend) {
        generate_tracks(backend, plans, planes);
        std::vector<FeatureInput> tracks;
        std::vector<DrawnFeatureInput> drawn;
        for (std::size_t i = 0; i < plans.size(); ++i) {
            tracks.push_back({{x[i],
                               y[i],
                               {},
                               static_cast<int>(plans[i].points.size()),
                               static_cast<int>(plans[i].frames.size()),
                               static_cast<double>(plans[i].units_per_pixel),
                               30},
                              &metrics[i]});
            // Tracks of every other sequence are kept.
            drawn.push_back({&plans[i], &metrics[i], 30});
            if (i % 2 == 0 && !kept_x[i].empty()) drawn.back().tracks = {kept_x[i].data(), kept_y[i].data()};
            std::fill(kept_x[i].begin(), kept_x[i].end(), std::int16_t{-1});
            kept_y[i] = kept_x[i];
        }
        for (const Precision precision : {Precision::fp64, Precision::fp32}) {
            const FeatureBatch expected = feature_batch(backend, tracks, precision);
            const FeatureBatch found = generate_features(backend, drawn, precision);
            CHECK(found.rows == expected.rows);
            CHECK(found.global == expected.global);
        }
        for (std::size_t i = 0; i < plans.size(); i += 2) {
            CHECK(kept_x[i] == x[i]);
            CHECK(kept_y[i] == y[i]);
        }
        CHECK(backend.memory().held_bytes == 0);
    });
}

TEST_CASE("feature batch: what one sequence has wrong is refused on every device, before any work") {
    on_every_backend([&](Backend& backend) {
        CHECK(feature_batch(backend, {}, Precision::fp64).rows.empty());
        CHECK(generate_features(backend, {}, Precision::fp32).global.empty());
        Sequences all;
        all.add(9, 5);
        all.add(9, 5);
        const auto refuses = [&](Precision precision = Precision::fp64) {
            CHECK_THROWS_AS(feature_batch(backend, all.inputs, precision), std::invalid_argument);
        };
        FeatureInput& bad = all.inputs.back();
        const FeatureInput good = bad;
        bad.metrics = nullptr;
        refuses();
        bad = good;
        bad.tracks.y = bad.tracks.y.first(44);
        refuses();
        bad = good;
        bad.tracks.fps = 0;
        refuses();
        bad.tracks.fps = 1e9;
        refuses(Precision::fp32);
        bad = good;
        bad.tracks.frames = 6;
        refuses();

        TrackPlan plan = plan_of(9, 5, 1);
        const FrameMetrics& metrics = *good.metrics;
        std::vector<std::int16_t> plane(45, 7);
        const auto refuses_plan = [&](const DrawnFeatureInput& input) {
            CHECK_THROWS_AS(generate_features(backend, std::vector{input}, Precision::fp64),
                            std::invalid_argument);
            CHECK(plane == std::vector<std::int16_t>(45, 7));
        };
        refuses_plan({nullptr, &metrics, 30});
        refuses_plan({&plan, nullptr, 30});
        refuses_plan({&plan, &metrics, -1, {plane.data(), nullptr}});
        refuses_plan({&plan, &metrics, -1, {plane.data(), plane.data()}});
        plan.frames[1].turn = std::nanf("");
        refuses_plan({&plan, &metrics, 30, {plane.data(), plane.data()}});
    });
}

TEST_CASE("feature batch: a device without room says so and holds nothing") {
    Sequences all;
    all.add(500, 60);
    const TrackPlan plan = plan_of(500, 60, 1);
    on_every_backend(
        [&](Backend& backend) {
            if (backend.info().kind == BackendKind::cpu) return;
            CHECK_THROWS_AS(feature_batch(backend, all.inputs, Precision::fp64), OverBudget);
            const std::vector<DrawnFeatureInput> drawn{{&plan, all.inputs[0].metrics, 30}};
            // Its tracks never lie in the device's memory, so what is too little for them is enough.
            CHECK_NOTHROW(generate_features(backend, drawn, Precision::fp64));
            const std::vector<DrawnFeatureInput> many(8, drawn[0]);
            CHECK_THROWS_AS(generate_features(backend, many, Precision::fp64), OverBudget);
            CHECK(backend.memory().held_bytes == 0);
        },
        std::size_t{100} << 10);
}
