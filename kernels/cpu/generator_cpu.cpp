#include "kernels/generator.h"

#include <cstddef>
#include <stdexcept>

#include "kernels/cpu/each_variant.h"
#include "kernels/cpu/in_threads.h"
#include "kernels/cpu/plan_checks.h"
#include "kernels/generator_body.h"

namespace nightshift::kernels {

namespace {

constexpr int kMaxPoints = kGeneratePointsMax;

/// Buffers of one frame: each loop below is over independent points, so that the compiler uses vectors.
struct FrameBuffers {
    float sine[kMaxPoints], cosine[kMaxPoints];
    float x[kMaxPoints], y[kMaxPoints];
    float noise_x[kMaxPoints + 2], noise_y[kMaxPoints + 2];
    std::uint32_t word0[kMaxPoints], word1[kMaxPoints], word2[kMaxPoints], word3[kMaxPoints];
};

[[gnu::always_inline]] inline void bend(const TrackPlan& plan, const PlanFrame& frame, int points,
                                        FrameBuffers& b) {
    for (int p = 0; p < points; ++p) {
        const SinCos direction = point_direction(plan.points[static_cast<std::size_t>(p)], frame);
        b.sine[p] = direction.sine;
        b.cosine[p] = direction.cosine;
    }
    float along_x = 0, along_y = 0;
    for (int p = 0; p < points; ++p) {
        if (p > 0) {
            along_x += b.cosine[p];
            along_y += b.sine[p];
        }
        b.x[p] = along_x;
        b.y[p] = along_y;
    }
    for (int p = 0; p < points; ++p) {
        const PointXY seen = seen_point(plan.points[static_cast<std::size_t>(p)], frame, plan.step_px,
                                        {b.sine[p], b.cosine[p]}, b.x[p], b.y[p]);
        b.x[p] = seen.x;
        b.y[p] = seen.y;
    }
}

[[gnu::always_inline]] inline void spread(const std::uint32_t* radius, const std::uint32_t* angle,
                                          std::uint32_t count, float* first, float* second) {
    for (std::uint32_t k = 0; k < count; ++k) {
        const NormalPair normal = normal_pair(radius[k], angle[k]);
        first[k] = normal.first;
        second[k] = normal.second;
    }
}

[[gnu::always_inline]] inline void disturb(const TrackPlan& plan, const PlanFrame& frame, std::uint32_t f,
                                           int points, FrameBuffers& b) {
    const auto pairs = static_cast<std::uint32_t>((points + 1) / 2);
    for (std::uint32_t k = 0; k < pairs; ++k) {
        const PhiloxWords words = philox({k, f, kDrawNoise, plan.stream}, plan.key);
        b.word0[k] = words.w0;
        b.word1[k] = words.w1;
        b.word2[k] = words.w2;
        b.word3[k] = words.w3;
    }
    spread(b.word0, b.word1, pairs, b.noise_x, b.noise_y);
    spread(b.word2, b.word3, pairs, b.noise_x + pairs, b.noise_y + pairs);
    for (int p = 0; p < points; ++p) {
        b.x[p] = std::fma(frame.noise_px, b.noise_x[p], b.x[p]);
        b.y[p] = std::fma(frame.noise_px, b.noise_y[p], b.y[p]);
    }
    if (!(frame.outlier_ratio > 0.0f)) return;
    for (int p = 0; p < points; ++p) {
        const PointXY off = outlier_offset(
            frame, philox({static_cast<std::uint32_t>(p), f, kDrawOutlier, plan.stream}, plan.key));
        b.x[p] += off.x;
        b.y[p] += off.y;
    }
}

[[gnu::always_inline]] inline void generate(const TrackPlan& plan, TrackPlanes out) {
    const int points = static_cast<int>(plan.points.size());
    FrameBuffers b;
    for (std::size_t f = 0; f < plan.frames.size(); ++f) {
        bend(plan, plan.frames[f], points, b);
        disturb(plan, plan.frames[f], static_cast<std::uint32_t>(f), points, b);
        std::int16_t* x = out.x + f * static_cast<std::size_t>(points);
        std::int16_t* y = out.y + f * static_cast<std::size_t>(points);
        for (int p = 0; p < points; ++p) {
            x[p] = stored(b.x[p], plan.x_max, plan.units_per_pixel);
            y[p] = stored(b.y[p], plan.y_max, plan.units_per_pixel);
        }
    }
}

#if NIGHTSHIFT_CPU_VARIANTS
// Without these instructions std::fma is a library call; with them the same bits take a tenth of the time.
[[gnu::target("avx2,fma")]] void generate_avx2(const TrackPlan& plan, TrackPlanes out) {
    generate(plan, out);
}

[[gnu::target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")]] void generate_avx512(
    const TrackPlan& plan, TrackPlanes out) {
    generate(plan, out);
}
#endif

void draw(const TrackPlan& plan, TrackPlanes out) {
#if NIGHTSHIFT_CPU_VARIANTS
    const CpuVariant variant = cpu_variant();
    if (variant == CpuVariant::avx512) return generate_avx512(plan, out);
    if (variant == CpuVariant::avx2) return generate_avx2(plan, out);
#endif
    generate(plan, out);
}

}  // namespace

void generate_tracks_cpu(const TrackPlan& plan, TrackPlanes out) {
    check_plan(plan);
    draw(plan, out);
}

void generate_tracks_cpu(std::span<const TrackPlan> plans, std::span<const TrackPlanes> out, int threads) {
    if (plans.size() != out.size()) throw std::invalid_argument("generate_tracks: one destination a plan");
    for (const TrackPlan& plan : plans) check_plan(plan);
    in_threads(plans.size(), threads, [&] { return [&](std::size_t i) { draw(plans[i], out[i]); }; });
}

}  // namespace nightshift::kernels
