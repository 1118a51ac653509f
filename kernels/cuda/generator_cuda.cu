#include "kernels/generator.h"

#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/buffer.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/generator_body.h"

namespace nightshift::kernels {
namespace {

/// A sequence has 60 frames in the usual data set; a block walks longer ones in strides.
constexpr int kThreads = 64;

/// One plan, with offsets into the packed tables.
struct PackedPlan {
    std::uint64_t key;
    std::uint32_t stream;
    int points, frames;
    float step_px, x_max, y_max, units_per_pixel;
    std::size_t first_point, first_frame, first_value;
};

/// Noise of a point: its block is shared with the point half a panel away, as on the CPU.
__device__ NormalPair point_noise(const PackedPlan& plan, std::uint32_t frame, int point) {
    const int pairs = (plan.points + 1) / 2;
    const bool is_second = point >= pairs;
    const auto element = static_cast<std::uint32_t>(is_second ? point - pairs : point);
    const PhiloxWords words = philox({element, frame, kDrawNoise, plan.stream}, plan.key);
    return is_second ? normal_pair(words.w2, words.w3) : normal_pair(words.w0, words.w1);
}

/// in  plans [grid], points and frames of all plans one after another
/// out x, y [sum of frames x points] int16, frame-major
/// One block a sequence, one thread a frame: the sum along the panel runs in the CPU's order, so that the
/// bits agree. Writes of neighbouring threads are far apart; the arithmetic outweighs them.
__global__ void generate(const PackedPlan* plans, const PlanPoint* points, const PlanFrame* frames,
                         std::int16_t* x, std::int16_t* y) {
    const PackedPlan plan = plans[blockIdx.x];
    const PlanPoint* own_points = points + plan.first_point;
    for (int f = static_cast<int>(threadIdx.x); f < plan.frames; f += kThreads) {
        const PlanFrame frame = frames[plan.first_frame + static_cast<std::size_t>(f)];
        const std::size_t row =
            plan.first_value + static_cast<std::size_t>(f) * static_cast<std::size_t>(plan.points);
        float along_x = 0, along_y = 0;
        for (int p = 0; p < plan.points; ++p) {
            const PlanPoint point = own_points[p];
            const SinCos direction = point_direction(point, frame);
            if (p > 0) {
                along_x += direction.cosine;
                along_y += direction.sine;
            }
            PointXY seen = seen_point(point, frame, plan.step_px, direction, along_x, along_y);
            const NormalPair noise = point_noise(plan, static_cast<std::uint32_t>(f), p);
            seen.x = std::fma(frame.noise_px, noise.first, seen.x);
            seen.y = std::fma(frame.noise_px, noise.second, seen.y);
            if (frame.outlier_ratio > 0.0f) {
                const PhiloxCounter counter{static_cast<std::uint32_t>(p), static_cast<std::uint32_t>(f),
                                            kDrawOutlier, plan.stream};
                const PointXY off = outlier_offset(frame, philox(counter, plan.key));
                seen.x += off.x;
                seen.y += off.y;
            }
            x[row + static_cast<std::size_t>(p)] = stored(seen.x, plan.x_max, plan.units_per_pixel);
            y[row + static_cast<std::size_t>(p)] = stored(seen.y, plan.y_max, plan.units_per_pixel);
        }
    }
}

}  // namespace

void generate_tracks_cuda(Backend& backend, std::span<const TrackPlan> plans,
                          std::span<const TrackPlanes> out) {
    if (plans.size() != out.size())
        throw std::invalid_argument("generate_tracks_cuda: one destination a plan");
    if (plans.empty()) return;
    std::vector<PackedPlan> packed;
    std::vector<PlanPoint> points;
    std::vector<PlanFrame> frames;
    std::size_t values = 0;
    for (const TrackPlan& plan : plans) {
        packed.push_back({plan.key, plan.stream, static_cast<int>(plan.points.size()),
                          static_cast<int>(plan.frames.size()), plan.step_px, plan.x_max, plan.y_max,
                          plan.units_per_pixel, points.size(), frames.size(), values});
        points.insert(points.end(), plan.points.begin(), plan.points.end());
        frames.insert(frames.end(), plan.frames.begin(), plan.frames.end());
        values += plan.points.size() * plan.frames.size();
    }
    const cuda::Op op(backend, "generate_tracks",
                      std::to_string(plans.size()) + " plans, " + std::to_string(values) + " values");
    const Buffer<PackedPlan> device_plans(backend, packed, "generate.plans");
    const Buffer<PlanPoint> device_points(backend, points, "generate.points");
    const Buffer<PlanFrame> device_frames(backend, frames, "generate.frames");
    Buffer<std::int16_t> device_x(backend, values, "generate.tracks");
    Buffer<std::int16_t> device_y(backend, values, "generate.tracks");
    cuda::launch(op, "generate", static_cast<unsigned>(packed.size()), kThreads, 0, generate,
                 device_plans.data(), device_points.data(), device_frames.data(), device_x.data(),
                 device_y.data());
    const std::vector<std::int16_t> x = device_x.to_host(), y = device_y.to_host();
    for (std::size_t i = 0; i < out.size(); ++i) {
        const std::size_t count = plans[i].points.size() * plans[i].frames.size();
        std::memcpy(out[i].x, x.data() + packed[i].first_value, count * sizeof(std::int16_t));
        std::memcpy(out[i].y, y.data() + packed[i].first_value, count * sizeof(std::int16_t));
    }
}

}  // namespace nightshift::kernels
