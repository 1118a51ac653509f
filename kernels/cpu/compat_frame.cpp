#include "kernels/cpu/compat_frame.h"

#include <algorithm>

#include "kernels/cpu/each_variant.h"

namespace nightshift::kernels {

namespace {

#define NIGHTSHIFT_HALF_VECTORS
#define NIGHTSHIFT_BODY "kernels/cpu/compat_frame.inc"
#include "kernels/cpu/each_variant.inc"

}  // namespace

CompatFrameLoops compat_frame_loops(CpuVariant variant) {
    return {NIGHTSHIFT_VARIANT_OF(bend, variant), NIGHTSHIFT_VARIANT_OF(add_noise, variant),
            NIGHTSHIFT_VARIANT_OF(find_pixels, variant)};
}

CompatFrame::CompatFrame(Pcg64& random, int points)
    : loops_(compat_frame_loops(cpu_variant())),
      random_(random),
      x_(static_cast<std::size_t>(points)),
      y_(x_.size()),
      room_(2 * x_.size()) {}

void CompatFrame::begin(const BentPanel& panel) {
    loops_.bend(panel, room_.data(), x_.data(), y_.data());
}

void CompatFrame::move(double dx, double dy) {
    for (double& x : x_) x += dx;
    for (double& y : y_) y += dy;
}

void CompatFrame::add_normal(double deviation) {
    random_.normals(room_);
    loops_.add_noise(deviation, room_.data(), x_.size(), x_.data(), y_.data());
}

void CompatFrame::drift(double reach, double factor) {
    const double dx = random_.uniform(-reach, reach), dy = random_.uniform(-reach, reach);
    move(dx * factor, dy * factor);
}

void CompatFrame::throw_off(double ratio, double reach) {
    const int count = std::max(1, static_cast<int>(ratio * points()));
    displace(random_.choice(points(), count), reach);
}

void CompatFrame::displace(std::span<const std::int64_t> places, double reach) {
    std::copy(x_.begin(), x_.end(), room_.begin());
    std::copy(y_.begin(), y_.end(), room_.begin() + points());
    for (const std::int64_t place : places) {
        const auto i = static_cast<std::size_t>(place);
        x_[i] = room_[i] + random_.uniform(-reach, reach);
        y_[i] = room_[x_.size() + i] + random_.uniform(-reach, reach);
    }
}

void CompatFrame::scale(double factor) {
    double centre_x = 0, centre_y = 0;
    for (std::size_t i = 0; i < x_.size(); ++i) {
        centre_x += x_[i];
        centre_y += y_[i];
    }
    centre_x /= points();
    centre_y /= points();
    for (double& x : x_) x = centre_x + factor * (x - centre_x);
    for (double& y : y_) y = centre_y + factor * (y - centre_y);
}

void CompatFrame::find_pixels(int width, int height, std::int16_t* x, std::int16_t* y) const {
    loops_.find_pixels(x_.data(), x_.size(), width - 1.0, x);
    loops_.find_pixels(y_.data(), y_.size(), height - 1.0, y);
}

}  // namespace nightshift::kernels
