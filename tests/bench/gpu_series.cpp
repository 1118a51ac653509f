#include <cmath>

#include "kernels/metrics.h"
#include "kernels/nms.h"
#include "kernels/series_changes.h"
#include "tests/bench/gpu_case.h"

namespace nightshift::bench {
namespace {

/// Scores with ties, as a model on whole numbers gives them.
void metrics(const Machine& machine) {
    const std::int64_t rows = machine.part(10'000'000);
    std::vector<double> scores = random_rows(rows, 1);
    std::vector<int> labels(scores.size());
    for (std::size_t i = 0; i < scores.size(); ++i) {
        labels[i] = scores[i] * (i % 3 == 0 ? -1 : 1) > .8 ? 1 : 0;
        scores[i] = std::round(scores[i] * 1e6) * 1e-6;
    }
    const auto on_cpu = [&] { return score_steps(labels, scores); };
    const auto on_gpu = [&] { return score_steps_cuda(machine.gpu, labels, scores); };
    require(on_cpu().score == on_gpu().score && roc_auc(on_cpu()) == roc_auc(on_gpu()), "metrics");
    measure(machine, {"metrics", on_cpu, on_gpu, {}});
}

void changes(const Machine& machine) {
    constexpr std::size_t kSamples = 60;
    const std::int64_t count = machine.part(100'000);
    const std::vector<double> values = random_rows(count, kSamples);
    const SeriesBatch batch = equal_series(values, static_cast<std::size_t>(count), kSamples);
    const CusumOptions cusum;
    const WindowOptions window;
    const PeltOptions pelt;
    const double bytes = 8.0 * static_cast<double>(values.size());
    const auto cusum_cpu = [&] { return cusum_batch_cpu(batch, cusum, {}, machine.threads); };
    const auto cusum_gpu = [&] { return cusum_batch_cuda(machine.gpu, batch, cusum, {}); };
    require(cusum_cpu().points == cusum_gpu().points, "cusum");
    measure(machine, {"cusum", cusum_cpu, cusum_gpu, {{"cusum_series", "bytes", bytes}}});
    const auto window_cpu = [&] { return window_batch_cpu(batch, window, {}, machine.threads); };
    const auto window_gpu = [&] { return window_batch_cuda(machine.gpu, batch, window, {}); };
    require(window_cpu().points == window_gpu().points, "window");
    measure(machine, {"window", window_cpu, window_gpu, {{"window_series", "bytes", bytes}}});
    const auto pelt_cpu = [&] { return pelt_batch_cpu(batch, Pelt::compat, pelt, machine.threads); };
    const auto pelt_gpu = [&] { return pelt_batch_cuda(machine.gpu, batch, Pelt::compat, pelt); };
    require(pelt_cpu().changes.points == pelt_gpu().changes.points, "pelt");
    measure(machine, {"pelt", pelt_cpu, pelt_gpu, {}});
}

/// Boxes of six classes around few objects.
void suppression(const Machine& machine) {
    const std::int64_t count = machine.part(8'400);
    const std::vector<double> drawn = random_rows(count, 5);
    std::vector<float> boxes, scores;
    std::vector<std::int32_t> classes;
    for (std::int64_t i = 0; i < count; ++i) {
        const double* const own = drawn.data() + i * 5;
        const double x = 50.0 * static_cast<double>(i % 60 % 10) + 3 * own[0];
        const double y = 60.0 * static_cast<double>(i % 60 / 10) + 3 * own[1];
        for (const double corner : {x, y, x + 30 + own[2], y + 30 + own[3]})
            boxes.push_back(static_cast<float>(corner));
        scores.push_back(static_cast<float>(1 / (1 + std::exp(-own[4]))));
        classes.push_back(static_cast<std::int32_t>(i % 6));
    }
    const auto box_view = contiguous_view<const float, 2>(boxes.data(), {count, 4});
    const auto score_view = contiguous_view<const float, 1>(scores.data(), {count});
    const auto class_view = contiguous_view<const std::int32_t, 1>(classes.data(), {count});
    const NmsParams params;
    const auto on_cpu = [&] { return nms_cpu(box_view, score_view, class_view, params); };
    const auto on_gpu = [&] { return nms_cuda(machine.gpu, box_view, score_view, class_view, params); };
    require(on_cpu() == on_gpu(), "nms");
    measure(machine, {"nms", on_cpu, on_gpu, {}});
}

}  // namespace

void measure_series(const Machine& machine) {
    metrics(machine);
    changes(machine);
    suppression(machine);
}

}  // namespace nightshift::bench
