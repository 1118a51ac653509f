#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/cpu/plan_checks.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/generator_body.h"

/// Frames of a plan drawn by a whole block, with the CPU's bits: what is alike for every point is done by all
/// threads, and only the sums along the panel, whose order makes their bits, by one thread each.
namespace nightshift::kernels::cuda {

constexpr int kPlanThreads = 256;
/// Sums along the panel run beside each other, two a frame: a warp's worth of them.
constexpr int kTileFramesMax = kWarp / 2;

/// One plan, with offsets into the packed tables.
struct PackedPlan {
    std::uint64_t key;
    std::uint32_t stream;
    int points, frames;
    float step_px, x_max, y_max, units_per_pixel;
    std::size_t first_point, first_frame, first_value;
};

/// Plans one after another. add() throws std::invalid_argument on what check_plan() refuses.
struct PackedPlans {
    std::vector<PackedPlan> plans;
    std::vector<PlanPoint> points;
    std::vector<PlanFrame> frames;
    int points_max = 0, frames_max = 0;
    std::size_t values = 0;  ///< points x frames of all

    void add(const TrackPlan& plan) {
        check_plan(plan);
        plans.push_back({plan.key, plan.stream, static_cast<int>(plan.points.size()),
                         static_cast<int>(plan.frames.size()), plan.step_px, plan.x_max, plan.y_max,
                         plan.units_per_pixel, points.size(), frames.size(), values});
        points.insert(points.end(), plan.points.begin(), plan.points.end());
        frames.insert(frames.end(), plan.frames.begin(), plan.frames.end());
        points_max = std::max(points_max, plans.back().points);
        frames_max = std::max(frames_max, plans.back().frames);
        values += plan.points.size() * plan.frames.size();
    }
};

/// Floats between the sums of two frames: odd, so that sums beside each other lie in different banks.
NIGHTSHIFT_HD inline int sums_stride(int points) {
    return points | 1;
}

/// Floats that draw_frames() needs for each frame of its tile.
NIGHTSHIFT_HD inline std::size_t sums_room(int points) {
    return 2 * static_cast<std::size_t>(sums_stride(points));
}

/// Where a drawn frame goes: row 0 is the first frame that is drawn.
struct DrawnRows {
    std::int16_t *x, *y;
};

__device__ inline void draw_point(const PackedPlan& plan, const PlanPoint& point, const PlanFrame& frame,
                                  std::uint32_t f, int p, NormalPair noise, float along_x, float along_y,
                                  std::int16_t* x, std::int16_t* y) {
    const SinCos direction = point_direction(point, frame);
    PointXY seen = seen_point(point, frame, plan.step_px, direction, along_x, along_y);
    seen.x = std::fma(frame.noise_px, noise.first, seen.x);
    seen.y = std::fma(frame.noise_px, noise.second, seen.y);
    if (frame.outlier_ratio > 0.0f) {
        const PointXY off = outlier_offset(
            frame, philox({static_cast<std::uint32_t>(p), f, kDrawOutlier, plan.stream}, plan.key));
        seen.x += off.x;
        seen.y += off.y;
    }
    *x = stored(seen.x, plan.x_max, plan.units_per_pixel);
    *y = stored(seen.y, plan.y_max, plan.units_per_pixel);
}

/// Frames first .. first + count - 1, at most kTileFramesMax, by all threads of the block. points, frames:
/// the plan's own. sums: shared, sums_room() floats a frame, free to be written. Whoever reads what other
/// threads drew, or draws again, puts a barrier before.
__device__ inline void draw_frames(const PackedPlan& plan, const PlanPoint* points, const PlanFrame* frames,
                                   int first, int count, float* sums, DrawnRows to) {
    const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
    const int width = plan.points, stride = sums_stride(width);
    for (int i = thread; i < count * width; i += threads) {
        const int f = i / width, p = i - f * width;
        const SinCos direction = point_direction(points[p], frames[first + f]);
        sums[2 * f * stride + p] = p > 0 ? direction.cosine : 0.0f;
        sums[(2 * f + 1) * stride + p] = p > 0 ? direction.sine : 0.0f;
    }
    __syncthreads();
    for (int row = thread; row < 2 * count; row += threads) {
        float along = 0;
        for (int p = 0; p < width; ++p) sums[row * stride + p] = along += sums[row * stride + p];
    }
    __syncthreads();
    // A Philox block is the noise of two points, half a panel apart.
    const int pairs = (width + 1) / 2;
    for (int i = thread; i < count * pairs; i += threads) {
        const int f = i / pairs, k = i - f * pairs;
        const auto number = static_cast<std::uint32_t>(first + f);
        const PlanFrame frame = frames[first + f];
        const PhiloxWords words =
            philox({static_cast<std::uint32_t>(k), number, kDrawNoise, plan.stream}, plan.key);
        for (int half = 0; half < 2; ++half) {
            const int p = k + half * pairs;
            if (p >= width) break;
            const NormalPair noise =
                half == 0 ? normal_pair(words.w0, words.w1) : normal_pair(words.w2, words.w3);
            const std::size_t at =
                static_cast<std::size_t>(f) * static_cast<std::size_t>(width) + static_cast<std::size_t>(p);
            draw_point(plan, points[p], frame, number, p, noise, sums[2 * f * stride + p],
                       sums[(2 * f + 1) * stride + p], to.x + at, to.y + at);
        }
    }
}

}  // namespace nightshift::kernels::cuda
