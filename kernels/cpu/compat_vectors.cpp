#include "kernels/compat_vectors.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/cpu/compat_columns.h"
#include "kernels/cpu/compat_risk.h"

namespace nightshift::kernels {

namespace {

/// Rows of several points that are worked on together while they are in the nearest cache.
constexpr std::size_t kRowsTogether = 256;
/// Points whose tracks are turned from frames to rows together: a cache line of each.
constexpr std::size_t kPointsTogether = 32;

/// Where the rows of each point begin, and their end: [points + 1].
std::vector<std::size_t> row_starts(const TrackView& t) {
    std::vector<std::size_t> starts(static_cast<std::size_t>(t.points) + 1, 0);
    const auto frames = static_cast<std::size_t>(t.frames);
    for (std::size_t p = 0; p + 1 < starts.size(); ++p) {
        std::size_t rows = frames;
        if (!t.present.empty()) {
            rows = 0;
            for (int f = 0; f < t.frames; ++f) rows += t.present[t.at(f, static_cast<int>(p))] != 0;
        }
        starts[p + 1] = starts[p] + rows;
    }
    return starts;
}

void resize(CompatVectors& v, std::size_t rows) {
    v.point.resize(rows);
    v.frame.resize(rows);
    for (auto* column : {&v.x, &v.y, &v.dx, &v.dy, &v.vx, &v.vy, &v.speed, &v.dvx, &v.dvy, &v.ax, &v.ay,
                         &v.acceleration, &v.curvature_like, &v.strain, &v.impact, &v.crack_risk})
        column->resize(rows);
}

CompatColumns columns_of(CompatVectors& v) {
    return {v.x.data(),
            v.y.data(),
            v.dx.data(),
            v.dy.data(),
            v.vx.data(),
            v.vy.data(),
            v.speed.data(),
            v.dvx.data(),
            v.dvy.data(),
            v.ax.data(),
            v.ay.data(),
            v.acceleration.data(),
            v.curvature_like.data(),
            v.strain.data(),
            v.impact.data(),
            v.crack_risk.data()};
}

/// A plane of points that are in every frame, turned from frames to rows. Several points together, so that
/// what is read of a frame is a piece of a cache line.
void turn(const TrackView& t, const std::int16_t* plane, double* rows) {
    const auto points = static_cast<std::size_t>(t.points), frames = static_cast<std::size_t>(t.frames);
    std::size_t p = 0;
    for (; p + kPointsTogether <= points; p += kPointsTogether) {
        for (std::size_t f = 0; f < frames; ++f) {
            for (std::size_t k = 0; k < kPointsTogether; ++k)
                rows[(p + k) * frames + f] = plane[f * points + p + k];
        }
    }
    for (; p < points; ++p) {
        for (std::size_t f = 0; f < frames; ++f) rows[p * frames + f] = plane[f * points + p];
    }
}

/// Point, frame, x and y of every row.
void place_rows(const TrackView& t, CompatVectors& out) {
    std::size_t row = 0;
    if (t.present.empty()) {
        turn(t, t.x.data(), out.x.data());
        turn(t, t.y.data(), out.y.data());
        for (int p = 0; p < t.points; ++p, row += static_cast<std::size_t>(t.frames)) {
            std::fill_n(out.point.begin() + static_cast<std::ptrdiff_t>(row), t.frames, p);
            std::iota(out.frame.begin() + static_cast<std::ptrdiff_t>(row),
                      out.frame.begin() + static_cast<std::ptrdiff_t>(row) + t.frames, 0);
        }
    }
    for (int p = 0; p < t.points && !t.present.empty(); ++p) {
        for (int f = 0; f < t.frames; ++f) {
            const std::size_t at = t.at(f, p);
            if (t.present[at] == 0) continue;
            out.point[row] = p;
            out.frame[row] = f;
            out.x[row] = t.x[at];
            out.y[row++] = t.y[at];
        }
    }
    if (t.units_per_pixel == 1) return;
    for (double& x : out.x) x /= t.units_per_pixel;
    for (double& y : out.y) y /= t.units_per_pixel;
}

/// Rates or units so odd that squares might overflow or vanish: libm's hypot knows what to do.
void add_odd_lengths(double dt, const CompatColumns& c, std::size_t rows) {
    for (std::size_t i = 0; i < rows; ++i) {
        c.speed[i] = std::hypot(c.vx[i], c.vy[i]);
        c.acceleration[i] = std::hypot(c.ax[i], c.ay[i]);
        c.curvature_like[i] = std::hypot(c.dvx[i], c.dvy[i]) / (c.speed[i] + kSpeedFloor);
        c.impact[i] = c.acceleration[i] * dt;
    }
}

/// Everything that a point's own rows tell. A point's first row has no differences. is_plain: rates and units
/// are usual.
void add_motion(const TrackView& t, const std::vector<std::size_t>& starts, const CompatLoops& loops,
                bool is_plain, const CompatColumns& c) {
    const double dt = 1 / t.fps;
    const std::size_t rows = starts.back();
    for (std::size_t p = 0, end = 0; p + 1 < starts.size(); p = end) {
        for (end = p + 1; end + 1 < starts.size() && starts[end] - starts[p] < kRowsTogether;) ++end;
        const std::size_t first = starts[p], last = starts[end];
        loops.add_steps(dt, c, std::max<std::size_t>(first, 1), last);
        for (std::size_t q = p; q < end; ++q) {
            const std::size_t i = starts[q];
            if (i < rows) c.dx[i] = c.dy[i] = c.vx[i] = c.vy[i] = 0;
        }
        loops.add_changes(dt, c, std::max<std::size_t>(first, 1), last);
        for (std::size_t q = p; q < end; ++q) {
            const std::size_t i = starts[q];
            if (i < rows) c.dvx[i] = c.dvy[i] = c.ax[i] = c.ay[i] = 0;
        }
        if (is_plain) loops.add_lengths(dt, c, first, last);
    }
    if (!is_plain) add_odd_lengths(dt, c, rows);
}

}  // namespace

void compat_vectors(const TrackView& tracks, const FrameMetrics* metrics, const CompatRisk& risk,
                    CompatVectors& out) {
    const bool is_plain = is_usual(tracks.fps) && is_usual(tracks.units_per_pixel);
    const CompatLoops loops = compat_loops(is_plain ? cpu_variant() : CpuVariant::scalar);
    const std::vector<std::size_t> starts = row_starts(tracks);
    resize(out, starts.back());
    place_rows(tracks, out);
    add_motion(tracks, starts, loops, is_plain, columns_of(out));
    add_strain_and_risk(tracks, metrics, risk, starts, loops, is_plain, columns_of(out), out);
}

CompatVectors compat_vectors(const TrackView& tracks, const FrameMetrics* metrics, const CompatRisk& risk) {
    CompatVectors out;
    compat_vectors(tracks, metrics, risk, out);
    return out;
}

double pairwise_sum(std::span<const double> values) {
    constexpr std::size_t kLanes = 8, kBlock = 128;
    const std::size_t n = values.size();
    if (n < kLanes) {
        double sum = 0;
        for (const double value : values) sum += value;
        return sum;
    }
    if (n > kBlock) {
        const std::size_t half = n / 2 / kLanes * kLanes;
        return pairwise_sum(values.first(half)) + pairwise_sum(values.subspan(half));
    }
    double lanes[kLanes];
    std::copy_n(values.begin(), kLanes, lanes);
    std::size_t i = kLanes;
    for (; i + kLanes <= n; i += kLanes) {
        for (std::size_t k = 0; k < kLanes; ++k) lanes[k] += values[i + k];
    }
    double sum =
        ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
    for (; i < n; ++i) sum += values[i];
    return sum;
}

}  // namespace nightshift::kernels
