#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/cpu/compat_columns.h"
#include "kernels/cpu/feature_layout.h"
#include "kernels/cuda/block_sums.cuh"

/// The base columns of a frame by one warp: every lane takes points, twice, since deviations need the mean.
namespace nightshift::kernels::cuda {

/// A sequence as kernels see it, with offsets into what all share.
struct FeatureTask {
    int points, frames;
    double scale, fps;  ///< pixels a unit
    std::size_t first_frame, first_turn, first_value, first_gap;
    bool has_gaps;
};

/// Device arrays of all sequences, [frames of all] but for rows and global.
struct FeatureArrays {
    const double *angle, *concentration, *strain;
    const double *cosines, *sines;  ///< of i / n of a turn, for each length n that is there
    double *rows, *global;          ///< [frames, 75], [sequences, 6]
    double *series, *power;         ///< scratch
    int* there;                     ///< points of a frame
};

/// Planes that begin with frame `base`. With gaps: `present`, and for each point of each frame the frame in
/// which it was seen before, or -1; else both null.
struct TrackRows {
    const std::int16_t *x, *y;
    int base;
    const std::uint8_t* present;
    const std::int32_t* last;
};

/// Where a point is, was when it was last seen, and the time before that.
struct Places {
    int x, x_last, x_before, y, y_last, y_before;
};

/// False where the point is missing.
__device__ inline bool find_places(const TrackRows& t, int points, int frame, int point, Places& out) {
    const auto width = static_cast<std::size_t>(points), p = static_cast<std::size_t>(point);
    const auto at = [&](int f) { return static_cast<std::size_t>(f - t.base) * width + p; };
    int last = frame > 0 ? frame - 1 : 0, before = frame > 1 ? frame - 2 : 0;
    if (t.present != nullptr) {
        if (t.present[at(frame)] == 0) return false;
        last = t.last[at(frame)];
        before = last < 0 ? -1 : t.last[at(last)];
        if (last < 0) last = frame;
        if (before < 0) before = last;
    }
    out = {t.x[at(frame)], t.x[at(last)], t.x[at(before)], t.y[at(frame)], t.y[at(last)], t.y[at(before)]};
    return true;
}

enum Signal { kOfSpeed, kOfChange, kOfCurvature, kSignals };

/// Speed, its change and curvature: in double in px/s with the CPU's bits, in float in units a frame.
template <typename Real>
__device__ inline void find_signals(const Places& at, const FeatureTask& task, Real (&out)[kSignals]) {
    if constexpr (std::is_same_v<Real, float>) {
        const int dx = at.x - at.x_last, dy = at.y - at.y_last;
        const auto vx = static_cast<float>(dx), vy = static_cast<float>(dy);
        const auto dvx = static_cast<float>(dx - (at.x_last - at.x_before));
        const auto dvy = static_cast<float>(dy - (at.y_last - at.y_before));
        out[kOfSpeed] = sqrtf(vx * vx + vy * vy);
        out[kOfChange] = sqrtf(dvx * dvx + dvy * dvy);
        const auto slope = static_cast<float>(task.scale * task.fps / kSpeedFloor);
        out[kOfCurvature] = out[kOfChange] / (out[kOfSpeed] * slope + 1.0f);
    } else {
        const double x = at.x_last * task.scale, y = at.y_last * task.scale;
        const double vx = (at.x * task.scale - x) * task.fps, vy = (at.y * task.scale - y) * task.fps;
        const double dvx = vx - (x - at.x_before * task.scale) * task.fps;
        const double dvy = vy - (y - at.y_before * task.scale) * task.fps;
        out[kOfSpeed] = sqrt(vx * vx + vy * vy);
        out[kOfChange] = sqrt(dvx * dvx + dvy * dvy);
        out[kOfCurvature] = out[kOfChange] / (out[kOfSpeed] + kSpeedFloor);
    }
}

struct FrameMoments {
    double mean[kSignals], most[kSignals], deviation[kSignals];
    int points;
};

/// use(values) for the points of a frame that are there and this lane's; flush() at least every 64 of them.
template <typename Real, typename Use, typename Flush>
__device__ inline int each_point(const FeatureTask& task, const TrackRows& rows, int frame, const Use& use,
                                 const Flush& flush) {
    constexpr int kAtOnce = 64 * kWarp;
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    int there = 0;
    for (int begin = 0; begin < task.points; begin += kAtOnce) {
        const int end = min(task.points - begin, kAtOnce) + begin;
        for (int p = begin + lane; p < end; p += kWarp) {
            Places at;
            if (!find_places(rows, task.points, frame, p, at)) continue;
            Real values[kSignals];
            find_signals(at, task, values);
            use(values);
            ++there;
        }
        flush();
    }
    return there;
}

/// Numbers are added as Real, 64 of them at most, then as double.
template <typename Real>
__device__ inline FrameMoments find_moments(const FeatureTask& task, const TrackRows& rows, int frame) {
    FrameMoments out;
    Real part[kSignals] = {}, most[kSignals] = {}, centre[kSignals];
    double sums[kSignals] = {};
    const auto flush = [&] {
        for (int s = 0; s < kSignals; ++s) {
            sums[s] += static_cast<double>(part[s]);
            part[s] = 0;
        }
    };
    const int own = each_point<Real>(
        task, rows, frame,
        [&](const Real(&values)[kSignals]) {
            for (int s = 0; s < kSignals; ++s) {
                part[s] += values[s];
                most[s] = most[s] < values[s] ? values[s] : most[s];
            }
        },
        flush);
    const double count = warp_sum(own);
    out.points = static_cast<int>(count);
    for (int s = 0; s < kSignals; ++s) {
        out.mean[s] = count > 0 ? warp_sum(sums[s]) / count : 0;
        out.most[s] = static_cast<double>(warp_most(most[s]));
        centre[s] = static_cast<Real>(out.mean[s]);
        sums[s] = 0;
    }
    each_point<Real>(
        task, rows, frame,
        [&](const Real(&values)[kSignals]) {
            for (int s = 0; s < kSignals; ++s) {
                const Real off = values[s] - centre[s];
                part[s] += off * off;
            }
        },
        flush);
    for (int s = 0; s < kSignals; ++s) {
        const double squares = warp_sum(sums[s]);
        out.deviation[s] = count > 1 ? sqrt(squares / (count - 1)) : 0;
    }
    return out;
}

/// By a warp.
template <typename Real>
__device__ inline void write_frame(const FeatureTask& task, const TrackRows& rows, const FeatureArrays& all,
                                   int frame) {
    const FrameMoments m = find_moments<Real>(task, rows, frame);
    if (threadIdx.x % kWarp != 0) return;
    const std::size_t at = task.first_frame + static_cast<std::size_t>(frame);
    const double rate = std::is_same_v<Real, float> ? task.scale * task.fps : 1;
    const double bend = std::is_same_v<Real, float> ? rate / kSpeedFloor : 1;
    double* const row = all.rows + at * kCompatColumns;
    const double strain = all.strain[at] < 0 ? 0 : all.strain[at];
    const double most = m.most[kOfCurvature] * bend;
    const double strains = most > 0 ? strain / most : 0;
    const double factor[kSurrogates] = {bend * strains, bend * strains, rate, bend, rate * task.fps, rate};
    const int source[kSurrogates] = {kOfCurvature, kOfCurvature, kOfChange,
                                     kOfCurvature, kOfChange,    kOfSpeed};
    for (int k = 0; k < kSurrogates; ++k) {
        row[3 * k] = m.mean[source[k]] * factor[k];
        row[3 * k + 1] = m.most[source[k]] * factor[k];
        row[3 * k + 2] = m.deviation[source[k]] * factor[k];
    }
    row[kMetricsColumn] = all.angle[at];
    row[kMetricsColumn + 1] = all.concentration[at];
    row[kMetricsColumn + 2] = all.strain[at];
    all.there[at] = m.points;
}

}  // namespace nightshift::kernels::cuda
