#include "kernels/compat_generator.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tests/kernels/every_variant.h"

using namespace nightshift::kernels;

namespace {

struct Drawn {
    std::vector<std::int16_t> x, y;
    FrameMetrics metrics;
};

Drawn draw(const CompatConfig& config) {
    Drawn out;
    out.x.resize(static_cast<std::size_t>(config.points) * static_cast<std::size_t>(config.frames));
    out.y = out.x;
    out.metrics = compat_tracks(config, {out.x.data(), out.y.data()});
    return out;
}

}  // namespace

// Whole reference sequences are compared in tests/jobs/fpcb/compat_generate_test.cpp.
TEST_CASE("compat generator: the reference's first frame, a seed of its own, the picture's edge") {
    CompatConfig config;
    config.points = 2;
    config.frames = 1;
    config.noise_px = 0.4;
    config.seed = 0;
    const Drawn one = draw(config);
    CHECK(one.x == std::vector<std::int16_t>{806, 1037});
    CHECK(one.y == std::vector<std::int16_t>{562, 562});
    CHECK(one.metrics.bend_angle_deg == std::vector<double>{0});
    config.width = 900;
    config.height = 100;
    config.noise_px = 30;
    config.points = 50;
    config.frames = 20;
    const Drawn clipped = draw(config);
    CHECK(*std::max_element(clipped.x.begin(), clipped.x.end()) <= 899);
    CHECK(*std::min_element(clipped.x.begin(), clipped.x.end()) >= 0);
    CHECK(*std::max_element(clipped.y.begin(), clipped.y.end()) == 99);
    CHECK(*std::min_element(clipped.y.begin(), clipped.y.end()) == 0);
    config.seed = 1;
    CHECK(draw(config).x != clipped.x);
}

TEST_CASE("compat generator: every scenario and noise mode at the limits") {
    for (int panel = 0; panel < kPanelClasses; ++panel) {
        for (int mode = 0; mode < 6; ++mode) {
            CompatConfig config;
            config.panel = static_cast<PanelClass>(panel);
            config.noise_mode = static_cast<NoiseMode>(mode);
            config.fps = kCompatFpsMin;
            config.frames = 3;
            for (const int points : {1, 2, kCompatPointsMax}) {
                config.points = points;
                const Drawn drawn = draw(config);
                CHECK(
                    std::is_sorted(drawn.metrics.bend_angle_deg.begin(), drawn.metrics.bend_angle_deg.end()));
                CHECK(drawn.metrics.curvature_concentration.at(0) >= (points > 1 ? 1.0 - 1e-12 : 1.0));
            }
        }
    }
}

TEST_CASE("compat generator: the same pixels with any instructions") {
    for (int mode = 0; mode < 6; ++mode) {
        CompatConfig config;
        config.panel = mode % 2 == 0 ? PanelClass::kLightDistortion : PanelClass::kUvOvercured;
        config.noise_mode = static_cast<NoiseMode>(mode);
        config.seed = 77 + static_cast<std::uint64_t>(mode);
        config.frames = 13;
        config.points = 203;
        std::vector<Drawn> drawn;
        nightshift::tests::on_every_variant([&] { drawn.push_back(draw(config)); });
        for (const Drawn& other : drawn) {
            CHECK(other.x == drawn[0].x);
            CHECK(other.y == drawn[0].y);
        }
    }
}
