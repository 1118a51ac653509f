#include "kernels/feature_batch.h"

#include <map>
#include <string>

#include "kernels/buffer.h"
#include "kernels/cpu/feature_checks.h"
#include "kernels/cuda/plan_tracks.cuh"
#include "kernels/cuda/sequence_columns.cuh"

namespace nightshift::kernels {
namespace {

using cuda::FeatureArrays;
using cuda::FeatureTask;
using cuda::kFeatureThreads;
using cuda::kFeatureWarps;

static_assert(cuda::kPlanThreads == kFeatureThreads);

/// Of the 48 KiB of a block, what sums of blocks may take.
constexpr std::size_t kOwnSharedBytes = std::size_t{4} << 10;

/// For each point of each frame the frame in which it was seen before.
__device__ void find_last_seen(const FeatureTask& task, const std::uint8_t* present, std::int32_t* last) {
    const auto width = static_cast<std::size_t>(task.points);
    for (std::size_t p = threadIdx.x; p < width; p += kFeatureThreads) {
        std::int32_t seen = -1;
        for (int f = 0; f < task.frames; ++f) {
            const std::size_t at = static_cast<std::size_t>(f) * width + p;
            last[at] = seen;
            if (present[at] != 0) seen = f;
        }
    }
}

/// in  tasks [grid]; x, y planes of all; present, last only of those with gaps
/// out rows, global of `all`
/// One block a sequence, a warp a frame.
template <typename Real>
__global__ void columns_of_tracks(const FeatureTask* tasks, FeatureArrays all, const std::int16_t* x,
                                  const std::int16_t* y, const std::uint8_t* present, std::int32_t* last) {
    const FeatureTask task = tasks[blockIdx.x];
    cuda::TrackRows rows{x + task.first_value, y + task.first_value, 0, nullptr, nullptr};
    if (task.has_gaps) {
        find_last_seen(task, present + task.first_gap, last + task.first_gap);
        __syncthreads();
        rows.present = present + task.first_gap;
        rows.last = last + task.first_gap;
    }
    for (int f = static_cast<int>(threadIdx.x) / cuda::kWarp; f < task.frames; f += kFeatureWarps)
        cuda::write_frame<Real>(task, rows, all, f);
    __syncthreads();
    cuda::write_sequence(task, all);
}

/// int16 of both planes that a block keeps: a tile and the two frames before it.
NIGHTSHIFT_HD inline std::size_t rows_room(int points, int tile) {
    return 2 * static_cast<std::size_t>(points) * static_cast<std::size_t>(tile + 2);
}

/// The same from plans [grid], `tile` frames at a time, whose tracks live in shared memory: sums_room()
/// floats a frame of the tile, then rows_room() int16. kept_x, kept_y: where they go besides, or null.
template <typename Real>
__global__ void columns_of_plans(const cuda::PackedPlan* plans, const PlanPoint* points,
                                 const PlanFrame* frames, const FeatureTask* tasks, FeatureArrays all,
                                 int tile, std::int16_t* kept_x, std::int16_t* kept_y) {
    const cuda::PackedPlan plan = plans[blockIdx.x];
    const FeatureTask task = tasks[blockIdx.x];
    const int thread = static_cast<int>(threadIdx.x), width = plan.points;
    auto* const sums = cuda::shared_memory<float>();
    auto* const x =
        reinterpret_cast<std::int16_t*>(sums + cuda::sums_room(width) * static_cast<std::size_t>(tile));
    std::int16_t* const y = x + rows_room(width, tile) / 2;
    for (int first = 0; first < plan.frames; first += tile) {
        const int count = min(tile, plan.frames - first);
        cuda::draw_frames(plan, points + plan.first_point, frames + plan.first_frame, first, count, sums,
                          {x + 2 * width, y + 2 * width});
        __syncthreads();
        for (int i = thread; kept_x != nullptr && i < count * width; i += kFeatureThreads) {
            const std::size_t at = plan.first_value +
                                   static_cast<std::size_t>(first) * static_cast<std::size_t>(width) +
                                   static_cast<std::size_t>(i);
            kept_x[at] = x[2 * width + i];
            kept_y[at] = y[2 * width + i];
        }
        const cuda::TrackRows rows{x, y, first - 2, nullptr, nullptr};
        for (int f = thread / cuda::kWarp; f < count; f += kFeatureWarps)
            cuda::write_frame<Real>(task, rows, all, first + f);
        __syncthreads();
        // The next tile's two frames before it. Only a whole tile has a next, so these are rows apart.
        for (int i = thread; count == tile && i < 2 * width; i += kFeatureThreads) {
            x[i] = x[count * width + i];
            y[i] = y[count * width + i];
        }
    }
    cuda::write_sequence(task, all);
}

/// Tables of all sequences on the host, and where each begins in them.
struct Packed {
    std::vector<FeatureTask> tasks;
    std::vector<double> angle, concentration, strain, cosines, sines;
    std::size_t frames = 0, values = 0, gaps = 0;

    void add(const TrackView& t, const FrameMetrics& metrics) {
        const auto count = static_cast<std::size_t>(t.frames);
        const std::size_t size = count * static_cast<std::size_t>(t.points);
        const bool has_gaps = !t.present.empty();
        tasks.push_back({t.points, t.frames, 1 / t.units_per_pixel, t.fps, frames, turns_of(count), values,
                         gaps, has_gaps});
        const auto append = [count](std::vector<double>& to, const std::vector<double>& from) {
            to.insert(to.end(), from.begin(), from.begin() + static_cast<std::ptrdiff_t>(count));
        };
        append(angle, metrics.bend_angle_deg);
        append(concentration, metrics.curvature_concentration);
        append(strain, metrics.est_max_strain);
        frames += count;
        values += size;
        if (has_gaps) gaps += size;
    }

    std::string words() const {
        return std::to_string(tasks.size()) + " sequences, " + std::to_string(frames) + " frames, " +
               std::to_string(values) + " values";
    }

  private:
    std::size_t turns_of(std::size_t length) {
        const auto [at, is_new] = turns_.emplace(length, cosines.size());
        if (is_new) {
            const Turns turns(length);
            cosines.insert(cosines.end(), turns.cosines.begin(), turns.cosines.end());
            sines.insert(sines.end(), turns.sines.begin(), turns.sines.end());
        }
        return at->second;
    }

    std::map<std::size_t, std::size_t> turns_;
};

/// The tables on the device, and room for what comes of them.
class OnDevice {
  public:
    OnDevice(Backend& backend, const Packed& packed)
        : tasks_(backend, packed.tasks, "features.metrics"),
          angle_(backend, packed.angle, "features.metrics"),
          concentration_(backend, packed.concentration, "features.metrics"),
          strain_(backend, packed.strain, "features.metrics"),
          cosines_(backend, packed.cosines, "features.metrics"),
          sines_(backend, packed.sines, "features.metrics"),
          rows_(backend, packed.frames * kCompatColumns, "features.rows"),
          global_(backend, packed.tasks.size() * kCompatGlobalColumns, "features.rows"),
          series_(backend, packed.frames, "features.series"),
          power_(backend, packed.frames, "features.series"),
          there_(backend, packed.frames, "features.series") {}

    const FeatureTask* tasks() const { return tasks_.data(); }
    FeatureArrays arrays() {
        return {angle_.data(), concentration_.data(), strain_.data(), cosines_.data(), sines_.data(),
                rows_.data(),  global_.data(),        series_.data(), power_.data(),   there_.data()};
    }
    FeatureBatch to_host() const { return {rows_.to_host(), global_.to_host()}; }

  private:
    Buffer<FeatureTask> tasks_;
    Buffer<double> angle_, concentration_, strain_, cosines_, sines_, rows_, global_, series_, power_;
    Buffer<int> there_;
};

/// Frames of which tracks and sums fit the memory that every block has.
int tile_of(int points) {
    const std::size_t kept = sizeof(std::int16_t) * rows_room(points, 0);
    const std::size_t each = sizeof(float) * cuda::sums_room(points) +
                             sizeof(std::int16_t) * (rows_room(points, 1) - rows_room(points, 0));
    const std::size_t fit =
        (cuda::kSharedBytesAlways - kOwnSharedBytes - kept) / std::max<std::size_t>(each, 1);
    // As many as there are warps keeps all of them busy.
    return static_cast<int>(std::min<std::size_t>(fit, kFeatureWarps));
}

}  // namespace

FeatureBatch feature_batch_cuda(Backend& backend, std::span<const FeatureInput> sequences,
                                Precision precision) {
    Packed packed;
    for (const FeatureInput& one : sequences) {
        check_fits(one, precision);
        packed.add(one.tracks, *one.metrics);
    }
    const cuda::Op op(backend, "feature_batch", packed.words());
    if (sequences.empty()) return {};
    OnDevice device(backend, packed);
    Buffer<std::int16_t> x(backend, packed.values, "features.tracks"),
        y(backend, packed.values, "features.tracks");
    Buffer<std::uint8_t> present(backend, packed.gaps, "features.tracks");
    Buffer<std::int32_t> last(backend, packed.gaps, "features.tracks");
    for (std::size_t i = 0; i < sequences.size(); ++i) {
        const TrackView& t = sequences[i].tracks;
        const std::size_t size = static_cast<std::size_t>(t.frames) * static_cast<std::size_t>(t.points);
        x.upload(t.x.first(size), packed.tasks[i].first_value);
        y.upload(t.y.first(size), packed.tasks[i].first_value);
        if (packed.tasks[i].has_gaps) present.upload(t.present.first(size), packed.tasks[i].first_gap);
    }
    cuda::launch(op, "columns_of_tracks", static_cast<unsigned>(sequences.size()), kFeatureThreads, 0,
                 precision == Precision::fp32 ? columns_of_tracks<float> : columns_of_tracks<double>,
                 device.tasks(), device.arrays(), x.data(), y.data(), present.data(), last.data());
    return device.to_host();
}

FeatureBatch generate_features_cuda(Backend& backend, std::span<const DrawnFeatureInput> sequences,
                                    Precision precision) {
    Packed packed;
    cuda::PackedPlans plans;
    bool is_kept = false;
    for (const DrawnFeatureInput& one : sequences) {
        check_fits(one, precision);
        packed.add(view_of(one, {nullptr, nullptr}), *one.metrics);
        plans.add(*one.plan);
        is_kept = is_kept || one.tracks.x != nullptr;
    }
    const cuda::Op op(backend, "generate_features", packed.words());
    if (sequences.empty()) return {};
    OnDevice device(backend, packed);
    const Buffer<cuda::PackedPlan> device_plans(backend, plans.plans, "generate.plans");
    const Buffer<PlanPoint> points(backend, plans.points, "generate.points");
    const Buffer<PlanFrame> frames(backend, plans.frames, "generate.frames");
    Buffer<std::int16_t> x, y;
    if (is_kept) {
        x = Buffer<std::int16_t>(backend, plans.values, "generate.tracks");
        y = Buffer<std::int16_t>(backend, plans.values, "generate.tracks");
    }
    const int tile = tile_of(plans.points_max);
    const std::size_t shared =
        sizeof(float) * cuda::sums_room(plans.points_max) * static_cast<std::size_t>(tile) +
        sizeof(std::int16_t) * rows_room(plans.points_max, tile);
    cuda::launch(op, "columns_of_plans", static_cast<unsigned>(sequences.size()), kFeatureThreads, shared,
                 precision == Precision::fp32 ? columns_of_plans<float> : columns_of_plans<double>,
                 device_plans.data(), points.data(), frames.data(), device.tasks(), device.arrays(), tile,
                 x.data(), y.data());
    for (std::size_t i = 0; i < sequences.size(); ++i) {
        const DrawnFeatureInput& one = sequences[i];
        if (one.tracks.x == nullptr) continue;
        const std::size_t size = one.plan->points.size() * one.plan->frames.size();
        x.download({one.tracks.x, size}, plans.plans[i].first_value);
        y.download({one.tracks.y, size}, plans.plans[i].first_value);
    }
    return device.to_host();
}

}  // namespace nightshift::kernels
