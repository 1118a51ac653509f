#include "kernels/cpu/compat_frame.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/cpu/sincos_exact.h"
#include "tests/kernels/every_variant.h"

using namespace nightshift::kernels;
using nightshift::tests::on_every_variant;

namespace {

/// Odd, so that every loop has a rest beside its registers.
constexpr std::size_t kPoints = 37;

CompatFrameLoops loops() {
    return compat_frame_loops(cpu_variant());
}

bool are_same_bits(const std::vector<double>& a, const std::vector<double>& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (std::bit_cast<std::uint64_t>(a[i]) != std::bit_cast<std::uint64_t>(b[i])) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("compat frame: a bent panel has the bits of one point after another") {
    std::vector<double> weights;
    for (std::size_t i = 0; i < kPoints; ++i) weights.push_back(.2 + .07 * static_cast<double>(i));
    for (const double curvature : {0.0, .001, -.013, .4}) {
        CAPTURE(curvature);
        const BentPanel panel{weights.data(), kPoints, 6.25, curvature, 806.4, 561.6};
        std::vector<double> x, y;
        double angle = 0, along_x = 0, along_y = 0, first_x = 0, first_y = 0;
        for (std::size_t i = 0; i < kPoints; ++i) {
            angle += curvature * weights[i] * panel.step;
            const SinCosDouble direction = sincos_exact(angle);
            along_x += direction.cosine * panel.step;
            along_y += direction.sine * panel.step;
            if (i == 0) first_x = along_x, first_y = along_y;
            x.push_back(along_x - first_x + panel.origin_x);
            y.push_back(along_y - first_y + panel.origin_y);
        }
        on_every_variant([&] {
            std::vector<double> angles(kPoints), found_x(kPoints), found_y(kPoints);
            loops().bend(panel, angles.data(), found_x.data(), found_y.data());
            CHECK(are_same_bits(found_x, x));
            CHECK(are_same_bits(found_y, y));
        });
    }
}

TEST_CASE("compat frame: sine and cosine in every quadrant, at its borders and beside them") {
    const double quarter = std::acos(0.0);
    for (int k = -9; k <= 9; ++k) {
        for (const double off : {-quarter / 2, -1e-9, 0.0, 1e-9, quarter / 2}) {
            const double x = k * quarter + off;
            const SinCosDouble found = sincos_exact(x);
            CHECK(std::abs(found.sine - std::sin(x)) < 2e-15);
            CHECK(std::abs(found.cosine - std::cos(x)) < 2e-15);
        }
    }
}

TEST_CASE("compat frame: noise is added in pairs") {
    std::vector<double> normals, x(kPoints), y(kPoints);
    for (std::size_t i = 0; i < 2 * kPoints; ++i) normals.push_back(std::sin(static_cast<double>(i)) * 3);
    for (std::size_t i = 0; i < kPoints; ++i) x[i] = .1 * static_cast<double>(i), y[i] = -x[i];
    std::vector<double> wanted_x, wanted_y;
    for (std::size_t i = 0; i < kPoints; ++i) {
        wanted_x.push_back(x[i] + .3 * normals[2 * i]);
        wanted_y.push_back(y[i] + .3 * normals[2 * i + 1]);
    }
    on_every_variant([&] {
        std::vector<double> moved_x = x, moved_y = y;
        loops().add_noise(.3, normals.data(), kPoints, moved_x.data(), moved_y.data());
        CHECK(are_same_bits(moved_x, wanted_x));
        CHECK(are_same_bits(moved_y, wanted_y));
    });
}

TEST_CASE("compat frame: pixels are whole, halves go to even, and all lie in the picture") {
    constexpr double kMost = std::numeric_limits<double>::max(), kTiny = 5e-324;
    const std::vector<std::pair<double, std::int16_t>> cases{{0, 0},         {-0.0, 0},
                                                             {.5, 0},        {1.5, 2},
                                                             {2.5, 2},       {-.5, 0},
                                                             {-7, 0},        {-40000, 0},
                                                             {-kTiny, 0},    {kTiny, 0},
                                                             {1e16, 32767},  {kMost, 32767},
                                                             {-kMost, 0},    {32766.5, 32766},
                                                             {32767, 32767}, {32766.4999, 32766},
                                                             {98.5, 98},     {2.4999999999999996, 2}};
    std::vector<double> from;
    std::vector<std::int16_t> wanted;
    for (const auto& [value, pixel] : cases) {
        from.push_back(value);
        wanted.push_back(pixel);
    }
    on_every_variant([&] {
        std::vector<std::int16_t> found(from.size(), -1);
        loops().find_pixels(from.data(), from.size(), 32767, found.data());
        CHECK(found == wanted);
        loops().find_pixels(from.data(), from.size(), 0, found.data());
        CHECK(found == std::vector<std::int16_t>(from.size(), 0));
    });
}

TEST_CASE("compat frame: a place drawn twice keeps its last displacement alone, the others stay") {
    Pcg64 random(5), same(5);
    CompatFrame frame(random, 3);
    const std::vector<double> weights{1, 1, 1};
    const BentPanel panel{weights.data(), 3, 10, 0, 20, 30};
    frame.begin(panel);
    frame.displace(std::vector<std::int64_t>{1, 1}, 4);
    static_cast<void>(same.random());
    static_cast<void>(same.random());
    const double dx = same.uniform(-4, 4), dy = same.uniform(-4, 4);
    std::vector<std::int16_t> x(3), y(3);
    frame.find_pixels(100, 100, x.data(), y.data());
    CHECK(x == std::vector<std::int16_t>{20, static_cast<std::int16_t>(std::lround(30 + dx)), 40});
    CHECK(y == std::vector<std::int16_t>{30, static_cast<std::int16_t>(std::lround(30 + dy)), 30});
}
