#include "kernels/cpu/float_motion.h"

#include "kernels/cpu/compat_columns.h"
#include "kernels/cpu/each_variant.h"

namespace nightshift::kernels {

namespace {

#define NIGHTSHIFT_HALF_VECTORS
#define NIGHTSHIFT_BODY "kernels/cpu/float_motion.inc"
#include "kernels/cpu/each_variant.inc"

constexpr std::size_t kLineFloats = 16;

Moments scaled(const Moments& m, double factor) {
    return {m.mean * factor, m.max * factor, m.deviation * factor};
}

}  // namespace

FindFloatMoments find_float_moments(CpuVariant variant) {
    return NIGHTSHIFT_VARIANT_OF(find_float_moments_of, variant);
}

FloatMotion::FloatMotion(const TrackView& tracks)
    : tracks_(tracks), find_(find_float_moments(cpu_variant())), rate_(tracks.fps / tracks.units_per_pixel) {
    const auto points = static_cast<std::size_t>(tracks.points);
    const std::size_t room = (points + kFloatSums - 1) / kFloatSums * kFloatSums;
    values_.resize(3 * room + kLineFloats);
    // Whole vectors are stored: on a boundary of cache lines none touches two.
    const auto address = reinterpret_cast<std::uintptr_t>(values_.data()) / sizeof(float);
    float* const first = values_.data() + (kLineFloats - address % kLineFloats) % kLineFloats;
    at_ = {first, first + room, first + 2 * room};
    if (tracks.present.empty()) return;
    for (auto* places : {&last_x_, &last_y_, &before_x_, &before_y_}) places->resize(points);
    there_.resize(6 * points);
    seen_.resize(points);
}

FloatRows FloatMotion::all_rows(int frame) const {
    const std::size_t now = tracks_.at(frame, 0), last = tracks_.at(frame > 0 ? frame - 1 : 0, 0),
                      before = tracks_.at(frame > 1 ? frame - 2 : 0, 0);
    const std::int16_t *x = tracks_.x.data(), *y = tracks_.y.data();
    return {x + now,
            x + last,
            x + before,
            y + now,
            y + last,
            y + before,
            static_cast<std::size_t>(tracks_.points)};
}

FloatRows FloatMotion::rows_there(int frame) {
    const auto points = static_cast<std::size_t>(tracks_.points);
    std::int16_t* row[6];
    for (std::size_t k = 0; k < 6; ++k) row[k] = there_.data() + k * points;
    std::size_t count = 0;
    for (std::size_t p = 0; p < points; ++p) {
        const std::size_t at = tracks_.at(frame, 0) + p;
        if (tracks_.present[at] == 0) continue;
        const std::int16_t x = tracks_.x[at], y = tracks_.y[at];
        if (!seen_[p]) {
            last_x_[p] = before_x_[p] = x;
            last_y_[p] = before_y_[p] = y;
            seen_[p] = 1;
        }
        row[0][count] = x;
        row[1][count] = last_x_[p];
        row[2][count] = before_x_[p];
        row[3][count] = y;
        row[4][count] = last_y_[p];
        row[5][count] = before_y_[p];
        ++count;
        before_x_[p] = last_x_[p];
        before_y_[p] = last_y_[p];
        last_x_[p] = x;
        last_y_[p] = y;
    }
    return {row[0], row[1], row[2], row[3], row[4], row[5], count};
}

void FloatMotion::advance(int frame, FrameMoments& out) {
    const FloatRows rows = tracks_.present.empty() ? all_rows(frame) : rows_there(frame);
    const double slope = rate_ / kSpeedFloor;
    FloatMoments found;
    find_(rows, static_cast<float>(slope), at_, found);
    out.curvature = scaled(found.curvature, slope);
    out.change = scaled(found.change, rate_);
    out.speed = scaled(found.speed, rate_);
    out.points = rows.count;
}

}  // namespace nightshift::kernels
