#include <algorithm>
#include <cmath>

#include "kernels/coreset.h"
#include "kernels/dream_run.h"
#include "kernels/feature_batch.h"
#include "kernels/generator.h"
#include "kernels/knn.h"
#include "tests/bench/gpu_case.h"

namespace nightshift::bench {
namespace {

/// Operations that a generated point takes: two normals, one direction, one transform.
constexpr double kOperationsAPoint = 200;

void knn(const Machine& machine, const char* name, std::int64_t bank_rows, int k) {
    constexpr std::int64_t kColumns = 81;
    const std::int64_t rows = machine.part(100'000);
    const std::vector<double> a = random_rows(bank_rows, kColumns), b = random_rows(rows, kColumns);
    const Rows<double> bank{a.data(), bank_rows, kColumns}, queries{b.data(), rows, kColumns};
    const auto on_cpu = [&] { return knn_cpu(bank, queries, k, machine.threads); };
    const auto on_gpu = [&] { return knn_cuda(machine.gpu, bank, queries, k); };
    require(on_cpu().indices == on_gpu().indices && on_cpu().distances == on_gpu().distances, name);
    const double products = 2.0 * static_cast<double>((rows + 63) / 64 * 64) *
                            static_cast<double>((bank_rows + 63) / 64 * 64) * 96;
    measure(machine, {name, on_cpu, on_gpu, {{"filter_tiles", "half", products}}});
}

void coreset(const Machine& machine) {
    const std::int64_t rows = machine.part(200'000);
    const std::int64_t picks = std::min<std::int64_t>(machine.part(2'000), rows);
    constexpr std::int64_t kColumns = 96;
    const std::vector<double> values = random_rows(rows, kColumns);
    const Rows<double> data{values.data(), rows, kColumns};
    const auto on_cpu = [&] { return greedy_coreset_cpu(data, picks, 0, machine.threads); };
    const auto on_gpu = [&] { return greedy_coreset_cuda(machine.gpu, data, picks, 0); };
    require(on_cpu().picks == on_gpu().picks, "coreset");
    // Distance, owner and mark of every row at every pick; what the triangle inequality leaves comes on top.
    measure(machine,
            {"coreset", on_cpu, on_gpu, {{"pick_rows", "bytes", 13.0 * static_cast<double>(rows * picks)}}});
}

std::vector<TrackPlan> plans_of(const Machine& machine, int units_per_pixel) {
    std::vector<TrackPlan> plans;
    for (std::int64_t index = 0; index < machine.part(2'000); ++index) {
        const auto panel = static_cast<PanelClass>(index % kPanelClasses);
        const auto stream = static_cast<std::uint32_t>(index);
        plans.push_back(make_plan(draw_recipe(panel, stream, kSeed, Difficulty::kStandard), units_per_pixel));
    }
    return plans;
}

void generate(const Machine& machine) {
    const std::vector<TrackPlan> plans = plans_of(machine, 1);
    std::vector<std::vector<std::int16_t>> values[2];
    std::vector<TrackPlanes> planes[2];
    double points = 0;
    for (const TrackPlan& plan : plans) {
        const std::size_t count = plan.points.size() * plan.frames.size();
        points += static_cast<double>(count);
        for (int side = 0; side < 2; ++side) {
            values[side].emplace_back(count * 2);
            planes[side].push_back({values[side].back().data(), values[side].back().data() + count});
        }
    }
    const auto on_cpu = [&] { generate_tracks_cpu(plans, planes[0], machine.threads); };
    const auto on_gpu = [&] { generate_tracks_cuda(machine.gpu, plans, planes[1]); };
    on_cpu();
    on_gpu();
    require(values[0] == values[1], "generate");
    measure(machine, {"generate", on_cpu, on_gpu, {{"generate", "fp32", kOperationsAPoint * points}}});
}

/// From drawing to the reference's 75 + 6 columns: only these leave the device.
void features(const Machine& machine, const char* name, Precision precision) {
    const std::vector<TrackPlan> plans = plans_of(machine, 8);
    std::vector<FrameMetrics> metrics;
    for (const TrackPlan& plan : plans) {
        const std::vector<double> ones(plan.frames.size(), 1);
        metrics.push_back({ones, ones, ones});
    }
    std::vector<DrawnFeatureInput> inputs;
    for (std::size_t i = 0; i < plans.size(); ++i) inputs.push_back({&plans[i], &metrics[i], 30.0});
    const auto on_cpu = [&] { return generate_features_cpu(inputs, precision, machine.threads); };
    const auto on_gpu = [&] { return generate_features_cuda(machine.gpu, inputs, precision); };
    const FeatureBatch theirs = on_cpu(), ours = on_gpu();
    double difference = 0, largest = 1e-300;
    for (std::size_t i = 0; i < theirs.global.size(); ++i) {
        difference = std::max(difference, std::abs(theirs.global[i] - ours.global[i]));
        largest = std::max(largest, std::abs(theirs.global[i]));
    }
    require(difference <= (precision == Precision::fp64 ? 1e-9 : 1e-4) * largest, name);
    measure(machine, {name, on_cpu, on_gpu, {}});
}

/// One epoch each; losses agree as DreamRun's contract says.
void dream(const Machine& machine, const char* name, std::int64_t batch) {
    DreamRunOptions options;
    options.step.shape = {81, {64, 32, 16}, 8, 64};
    options.batch = batch;
    options.drop = .1F;
    for (std::int64_t column = 0; column < 60; ++column) options.scalings.push_back({column, 1.2F, .6F});
    const std::int64_t rows = machine.part(40'960);
    const std::vector<double> wide = random_rows(rows, 81);
    const std::vector<float> values(wide.begin(), wide.end());
    std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
    const auto parameters = static_cast<std::size_t>(dream_net_layers(options.step.shape).back().end());
    const std::vector<double> drawn = random_rows(static_cast<std::int64_t>(parameters), 1);
    DreamStepState start{{}, std::vector<float>(parameters), std::vector<float>(parameters), 0};
    for (const double each : drawn) start.parameters.push_back(static_cast<float>(each * .08));
    const auto cpu = make_dream_run_cpu(options, values);
    const auto gpu = make_dream_run_cuda(machine.gpu, options, values);
    cpu->set_state(start);
    gpu->set_state(start);
    const double theirs = cpu->run(order, 0, 0).front().total, ours = gpu->run(order, 0, 0).front().total;
    require(std::abs(ours - theirs) <= 1e-5 * std::abs(theirs), name);
    // Forward, and twice as much back.
    const double products = 6.0 * static_cast<double>(parameters) * static_cast<double>(rows);
    measure(machine, {name,
                      [&] { cpu->run(order, 1, 0); },
                      [&] { gpu->run(order, 1, 0); },
                      {{"run_batches", "fp32", products}, {"graph", "fp32", products}}});
}

}  // namespace

void measure_models(const Machine& machine) {
    knn(machine, "knn", 1'000, 1);
    knn(machine, "knn_k5", 20'000, 5);
    coreset(machine);
    generate(machine);
    features(machine, "features", Precision::fp64);
    features(machine, "features32", Precision::fp32);
    dream(machine, "dream", 32);
    dream(machine, "dream_4096", 4096);
}

}  // namespace nightshift::bench
