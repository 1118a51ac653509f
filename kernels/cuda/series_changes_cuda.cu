#include <algorithm>
#include <cstdint>
#include <span>

#include "kernels/cuda/series_device.cuh"

namespace nightshift::kernels {

namespace {

using namespace cuda;

/// One thread a series: it walks along its own row, whose lines stay in the first cache. scores: [values],
/// zeros at first, or nullptr.
__global__ void cusum_series(DeviceSeries batch, CusumPlan plan, double* scores, std::int32_t* found,
                             std::uint64_t* counts) {
    const std::int64_t s = static_cast<std::int64_t>(blockIdx.x) * kSeriesThreads + threadIdx.x;
    if (s >= batch.series) return;
    const std::int64_t first = batch.first_of(s), n = batch.samples_of(s);
    if (n < 2) return;
    const double* const x = batch.values + first;
    double target = 0, slack = plan.sensitivity;
    if (plan.wants_mean) {
        for (std::int64_t i = 0; i < n; ++i) target += x[i];
        target /= static_cast<double>(n);
    }
    if (!plan.has_sensitivity) {
        double squares = 0;
        for (std::int64_t i = 0; i < n; ++i) squares += (x[i] - target) * (x[i] - target);
        const double deviation = sqrt(squares / static_cast<double>(n));
        slack = .5 * (deviation > 0 ? deviation : 1);
    }
    if (plan.has_target) target = plan.target;
    const auto apart = static_cast<std::int64_t>(plan.min_size);
    double up = 0, down = 0, score = 0;
    std::int64_t free = apart;
    std::uint64_t count = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        if (i > 0) {
            up = larger(0, up + x[i] - target - slack);
            down = larger(0, down - x[i] + target - slack);
            score = larger(up, down);
        }
        if (scores != nullptr) scores[first + i] = score;
        if (i < free || !(score > plan.threshold)) continue;
        found[first + static_cast<std::int64_t>(count++)] = static_cast<std::int32_t>(i);
        free = i + apart;
    }
    counts[s] = count;
}

struct WindowShape {
    std::int64_t size, step, apart;
    double threshold;
};

struct DeviceMoments {
    double mean, deviation;
};

__device__ DeviceMoments moments_of(const double* x, std::int64_t count) {
    double mean = 0, squares = 0;
    for (std::int64_t i = 0; i < count; ++i) mean += x[i];
    mean /= static_cast<double>(count);
    for (std::int64_t i = 0; i < count; ++i) squares += (x[i] - mean) * (x[i] - mean);
    return {mean, sqrt(squares / static_cast<double>(count))};
}

__device__ double larger_ratio(double before, double after) {
    const double ratio = after / (before + kRatioFloor);
    return larger(ratio, 1 / ratio);
}

/// One warp a series, a lane a pair of windows. scores as above.
__global__ void window_series(DeviceSeries batch, WindowShape shape, double* scores, std::int32_t* found,
                              std::uint64_t* counts) {
    const std::int64_t s = (static_cast<std::int64_t>(blockIdx.x) * kSeriesThreads + threadIdx.x) / kWarp;
    if (s >= batch.series) return;
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const std::int64_t first = batch.first_of(s), n = batch.samples_of(s), w = shape.size;
    if (n < static_cast<std::int64_t>(kWindowSamplesMin)) return;
    const double* const x = batch.values + first;
    std::int64_t free = 0;
    std::uint64_t count = 0;
    for (std::int64_t from = w; from + w < n; from += kWarp * shape.step) {
        const std::int64_t i = from + lane * shape.step;
        bool is_above = false;
        if (i + w < n) {
            const DeviceMoments before = moments_of(x + i - w, w), after = moments_of(x + i, w);
            const double score =
                larger(larger_ratio(before.mean, after.mean),
                       larger_ratio(before.deviation + kRatioFloor, after.deviation + kRatioFloor));
            if (scores != nullptr) scores[first + i] = score;
            is_above = score > shape.threshold;
        }
        // All lanes walk through the votes, so that they agree on what is free.
        for (unsigned votes = __ballot_sync(kWholeWarp, is_above ? 1 : 0); votes != 0; votes &= votes - 1) {
            const std::int64_t at = from + (__ffs(static_cast<int>(votes)) - 1) * shape.step;
            if (at < free) continue;
            if (lane == 0) found[first + static_cast<std::int64_t>(count)] = static_cast<std::int32_t>(at);
            ++count;
            free = at + shape.apart;
        }
    }
    if (lane == 0) counts[s] = count;
}

/// Scores on the device, where they are wanted.
class DeviceScores {
  public:
    DeviceScores(const Op& op, std::span<double> host) : host_(host) {
        if (host.empty()) return;
        scores_ = Buffer<double>(op.backend(), host.size(), "series.scores");
        op.fill(scores_.data(), 0, host.size_bytes());
    }
    double* data() { return scores_.data(); }
    void take() const {
        if (!host_.empty()) scores_.download(host_);
    }

  private:
    std::span<double> host_;
    Buffer<double> scores_;
};

}  // namespace

BatchChanges cusum_batch_cuda(Backend& backend, const SeriesBatch& batch, const CusumOptions& options,
                              std::span<double> scores) {
    check_batch(batch, scores);
    check_options(options);
    const Op op(backend, "cusum_batch", shapes_of(batch));
    SeriesOnDevice device(op, batch);
    DeviceScores own(op, scores);
    if (batch.series > 0) {
        launch(op, "cusum_series", blocks_for(device.view().series, kSeriesThreads), kSeriesThreads, 0,
               cusum_series, device.view(), cusum_plan(options), own.data(), device.found(), device.counts());
    }
    own.take();
    return device.take();
}

BatchChanges window_batch_cuda(Backend& backend, const SeriesBatch& batch, const WindowOptions& options,
                               std::span<double> scores) {
    check_batch(batch, scores);
    check_options(options);
    const Op op(backend, "window_batch", shapes_of(batch));
    SeriesOnDevice device(op, batch);
    DeviceScores own(op, scores);
    const WindowShape shape{options.window_size, options.step_size, options.min_size,
                            options.threshold_ratio};
    if (batch.series > 0) {
        launch(op, "window_series", blocks_for(device.view().series, kSeriesThreads / kWarp), kSeriesThreads,
               0, window_series, device.view(), shape, own.data(), device.found(), device.counts());
    }
    own.take();
    return device.take();
}

}  // namespace nightshift::kernels
