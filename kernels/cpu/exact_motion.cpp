#include "kernels/cpu/exact_motion.h"

#include <cmath>

#include "kernels/cpu/compat_columns.h"

namespace nightshift::kernels {

ExactMotion::ExactMotion(const TrackView& tracks)
    : tracks_(tracks),
      loops_(frame_loops(cpu_variant())),
      numbers_(7 * static_cast<std::size_t>(tracks.points)),
      seen_(static_cast<std::size_t>(tracks.points)) {
    double* at = numbers_.data();
    for (double** column :
         {&before_.x, &before_.y, &before_.vx, &before_.vy, &now_.speed, &now_.change, &now_.curvature}) {
        *column = at;
        at += tracks.points;
    }
}

std::size_t ExactMotion::advance_all(int frame) {
    const TrackView& t = tracks_;
    const auto points = static_cast<std::size_t>(t.points);
    const FrameInput in{t.x.data() + t.at(frame, 0), t.y.data() + t.at(frame, 0), points,
                        1 / t.units_per_pixel, t.fps};
    if (frame == 0) {  // as if the panel had been still before
        for (std::size_t p = 0; p < points; ++p) {
            before_.x[p] = in.x[p] * in.scale;
            before_.y[p] = in.y[p] * in.scale;
        }
    }
    loops_.advance(in, before_, now_);
    return points;
}

/// The same where points may be missing: compacted to those that are there, whose number it gives.
std::size_t ExactMotion::advance_some(int frame) {
    const TrackView& t = tracks_;
    const double scale = 1 / t.units_per_pixel;
    std::size_t count = 0;
    for (int p = 0; p < t.points; ++p) {
        const std::size_t at = t.at(frame, p);
        if (t.present[at] == 0) continue;
        const auto i = static_cast<std::size_t>(p);
        const double x = t.x[at] * scale, y = t.y[at] * scale;
        double vx = 0, vy = 0, dvx = 0, dvy = 0;
        if (seen_[i]) {
            vx = (x - before_.x[i]) * t.fps;
            vy = (y - before_.y[i]) * t.fps;
            dvx = vx - before_.vx[i];
            dvy = vy - before_.vy[i];
        }
        before_.x[i] = x;
        before_.y[i] = y;
        before_.vx[i] = vx;
        before_.vy[i] = vy;
        seen_[i] = 1;
        now_.speed[count] = std::sqrt(vx * vx + vy * vy);
        now_.change[count] = std::sqrt(dvx * dvx + dvy * dvy);
        now_.curvature[count] = now_.change[count] / (now_.speed[count] + kSpeedFloor);
        ++count;
    }
    return count;
}

void ExactMotion::advance(int frame, FrameMoments& out) {
    out.points = tracks_.present.empty() ? advance_all(frame) : advance_some(frame);
    loops_.find_moments(now_.curvature, out.points, out.curvature);
    loops_.find_moments(now_.change, out.points, out.change);
    loops_.find_moments(now_.speed, out.points, out.speed);
}

}  // namespace nightshift::kernels
