// A device that is lost in the middle of an op: a clear error, nothing left behind, and the next backend
// works.
#include <doctest/doctest.h>

#include <vector>

#include "kernels/coreset.h"
#include "kernels/dream_run.h"
#include "kernels/dream_step.h"
#include "kernels/feature_batch.h"
#include "kernels/knn.h"
#include "kernels/metrics.h"
#include "kernels/series_changes.h"
#include "tests/kernels/emulator/lost_device.h"
#include "tests/kernels/knn/random_rows.h"

using namespace nightshift::kernels;
using nightshift::tests::check_lost;

TEST_CASE("faults: neighbours on a device that is lost") {
    const std::vector<double> bank = nightshift::tests::random_rows(40, 5, 1);
    const std::vector<double> queries = nightshift::tests::random_rows(9, 5, 2);
    check_lost("knn (bank [40, 5], queries [9, 5], k 3)", [&](Backend& backend) {
        knn_cuda(backend, Rows<double>{bank.data(), 40, 5}, Rows<double>{queries.data(), 9, 5}, 3);
    });
}

TEST_CASE("faults: a coreset on a device that is lost") {
    const std::vector<double> data = nightshift::tests::random_rows(280, 4, 3);
    check_lost("greedy_coreset (258 of [280, 4])", [&](Backend& backend) {
        greedy_coreset_cuda(backend, {data.data(), 280, 4}, 258, 7);
    });
}

TEST_CASE("faults: DREAM's step on a device that is lost") {
    DreamStepOptions options;
    options.shape = {5, {4}, 2, 3};
    const std::vector<float> rows(3 * 5, 0.5F), labels(3, 1.0F);
    check_lost("dream_step (", [&](Backend& backend) {
        const auto step = make_dream_step_cuda(backend, options);
        step->step({3, rows, rows, labels, {}});
        step->state();
    });
}

TEST_CASE("faults: a run of DREAM on a device that is lost") {
    DreamRunOptions options;
    options.step.shape = {5, {4}, 2, 3};
    const std::vector<float> rows(std::size_t{200} * 5, 0.5F);
    const std::vector<std::int64_t> order(200, 7);
    // One kernel that stays, and a graph of large batches with a smaller one after it.
    for (const std::int64_t batch : {40, 150}) {
        options.batch = batch;
        check_lost("dream_run (", [&](Backend& backend) {
            const auto run = make_dream_run_cuda(backend, options, rows);
            run->run(order, 0, 0);
            run->state();
        });
    }
}

TEST_CASE("faults: change points of many series on a device that is lost") {
    const std::vector<double> values = nightshift::tests::random_rows(5, 24, 4);
    const std::vector<std::size_t> offsets{0, 24, 60, 60, 120};
    const SeriesBatch batch = ragged_series(values, offsets);
    std::vector<double> scores(values.size());
    CusumOptions cusum;
    cusum.threshold = 0;  // so that there are points to pack
    WindowOptions window;
    window.threshold_ratio = 0;
    check_lost("cusum_batch (4 series, 120 values)",
               [&](Backend& backend) { cusum_batch_cuda(backend, batch, cusum, scores); });
    check_lost("window_batch (4 series, 120 values)",
               [&](Backend& backend) { window_batch_cuda(backend, batch, window, scores); });
    check_lost("pelt_batch (4 series, 120 values)",
               [&](Backend& backend) { pelt_batch_cuda(backend, batch, Pelt::compat, {}); });
}

TEST_CASE("faults: metrics on a device that is lost") {
    const std::vector<double> scores = nightshift::tests::random_rows(50, 1, 5);
    std::vector<int> labels(scores.size());
    for (std::size_t i = 0; i < labels.size(); i += 3) labels[i] = 1;
    check_lost("score_steps (50 scores)",
               [&](Backend& backend) { score_steps_cuda(backend, labels, scores); });
    const std::vector<ClassPlaces> places{{{0, 1, 2}, {1, 3}}, {{2, 1, 0}, {0, 1}}};
    std::vector<double> areas(4);
    check_lost("resampled_areas (4 areas of 2 scores)", [&](Backend& backend) {
        resampled_areas_cuda(backend, places, {1, 2}, 0, areas);
    });
}

TEST_CASE("faults: tracks and their features on a device that is lost") {
    PanelRecipe recipe = draw_recipe(PanelClass::kCrack, 0, 1, Difficulty::kStandard, 11);
    recipe.points = 12;
    const std::vector<TrackPlan> plans(2, make_plan(recipe, 1));
    const std::size_t values = plans[0].points.size() * plans[0].frames.size();
    std::vector<std::int16_t> x(values), y(values), other_x(values), other_y(values);
    const std::vector<TrackPlanes> planes{{x.data(), y.data()}, {other_x.data(), other_y.data()}};
    check_lost("generate_tracks (2 plans",
               [&](Backend& backend) { generate_tracks(backend, plans, planes); });

    const std::vector<double> none(plans[0].frames.size());
    const FrameMetrics metrics{none, none, none};
    const std::vector<std::uint8_t> present(values, 1);
    const TrackView view{x, y, present, static_cast<int>(plans[0].points.size()), 11, 1, 30};
    const std::vector<FeatureInput> tracks(2, {view, &metrics});
    check_lost("feature_batch (2 sequences",
               [&](Backend& backend) { feature_batch(backend, tracks, Precision::fp32); });

    const std::vector<DrawnFeatureInput> drawn(2, {&plans[0], &metrics, 30, planes[0]});
    check_lost("generate_features (2 sequences",
               [&](Backend& backend) { generate_features(backend, drawn, Precision::fp64); });
}
