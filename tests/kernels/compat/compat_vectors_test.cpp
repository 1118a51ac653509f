#include "kernels/compat_vectors.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "tests/kernels/compat/random_tracks.h"
#include "tests/kernels/every_variant.h"
#include "tests/support/seed.h"

using namespace nightshift::kernels;
using nightshift::tests::on_every_variant;
using nightshift::tests::RandomTracks;

namespace {

constexpr double kSpeedFloor = 1e-6;

/// The definition, row by row, with libm's functions.
CompatVectors plain(const TrackView& t, const FrameMetrics* metrics, const CompatRisk& risk) {
    CompatVectors v;
    const double dt = 1 / t.fps;
    std::vector<double> largest(static_cast<std::size_t>(t.frames));
    for (int p = 0; p < t.points; ++p) {
        double x = 0, y = 0, vx = 0, vy = 0;
        bool is_first = true;
        for (int f = 0; f < t.frames; ++f) {
            const std::size_t at = t.at(f, p);
            if (!t.present.empty() && t.present[at] == 0) continue;
            const double nx = t.x[at] / t.units_per_pixel, ny = t.y[at] / t.units_per_pixel;
            const double dx = is_first ? 0 : nx - x, dy = is_first ? 0 : ny - y;
            const double dvx = is_first ? 0 : dx / dt - vx, dvy = is_first ? 0 : dy / dt - vy;
            x = nx, y = ny, vx = dx / dt, vy = dy / dt, is_first = false;
            v.point.push_back(p);
            v.frame.push_back(f);
            const double speed = std::hypot(vx, vy), acceleration = std::hypot(dvx / dt, dvy / dt);
            const std::pair<std::vector<double>*, double> row[] = {
                {&v.x, x},
                {&v.y, y},
                {&v.dx, dx},
                {&v.dy, dy},
                {&v.vx, vx},
                {&v.vy, vy},
                {&v.speed, speed},
                {&v.dvx, dvx},
                {&v.dvy, dvy},
                {&v.ax, dvx / dt},
                {&v.ay, dvy / dt},
                {&v.acceleration, acceleration},
                {&v.impact, acceleration * dt},
                {&v.curvature_like, std::hypot(dvx, dvy) / (speed + kSpeedFloor)}};
            for (const auto& [column, value] : row) column->push_back(value);
            double& most = largest[static_cast<std::size_t>(f)];
            most = std::max(most, v.curvature_like.back());
        }
    }
    for (std::size_t i = 0; i < v.rows(); ++i) {
        const auto f = static_cast<std::size_t>(v.frame[i]);
        const double bound = metrics == nullptr ? 0 : std::max(metrics->est_max_strain[f], 0.0);
        v.strain.push_back(largest[f] > 0 ? v.curvature_like[i] / largest[f] * bound : 0);
        v.crack_risk.push_back(
            compat_risk(v.strain[i], metrics == nullptr ? 1 : metrics->curvature_concentration[f],
                        metrics == nullptr ? 0 : metrics->bend_angle_deg[f], v.acceleration[i], risk));
    }
    return v;
}

/// Rows whose bits differ, of a number's NaN none.
int unlike(const std::vector<double>& a, const std::vector<double>& b) {
    if (a.size() != b.size()) return -1;
    int count = 0;
    for (std::size_t i = 0; i < a.size(); ++i) count += std::memcmp(&a[i], &b[i], sizeof a[i]) != 0;
    return count;
}

void check_same(const CompatVectors& found, const CompatVectors& expected) {
    CHECK(found.point == expected.point);
    CHECK(found.frame == expected.frame);
    using Column = std::vector<double> CompatVectors::*;
    const std::pair<const char*, Column> columns[] = {{"x", &CompatVectors::x},
                                                      {"y", &CompatVectors::y},
                                                      {"dx", &CompatVectors::dx},
                                                      {"dy", &CompatVectors::dy},
                                                      {"vx", &CompatVectors::vx},
                                                      {"vy", &CompatVectors::vy},
                                                      {"speed", &CompatVectors::speed},
                                                      {"dvx", &CompatVectors::dvx},
                                                      {"dvy", &CompatVectors::dvy},
                                                      {"ax", &CompatVectors::ax},
                                                      {"ay", &CompatVectors::ay},
                                                      {"acceleration", &CompatVectors::acceleration},
                                                      {"curvature_like", &CompatVectors::curvature_like},
                                                      {"strain", &CompatVectors::strain},
                                                      {"impact", &CompatVectors::impact}};
    for (const auto& [name, column] : columns) {
        const std::string which = name;
        CAPTURE(which);
        CHECK(unlike(found.*column, expected.*column) == 0);
    }
    REQUIRE(found.crack_risk.size() == expected.crack_risk.size());
    double worst = 0;
    for (std::size_t i = 0; i < found.rows(); ++i) {
        const double difference = std::abs(found.crack_risk[i] - expected.crack_risk[i]);
        worst = std::max(worst, difference / std::max(expected.crack_risk[i], 1e-300));
    }
    CHECK(worst < 1e-12);
}

}  // namespace

TEST_CASE("compat vectors: columns have the bits of libm's rows with every CPU variant") {
    const std::uint64_t seed = nightshift::tests::seed();
    struct Shape {
        int points, frames;
        double missing, fps, units;
    };
    for (const Shape s :
         {Shape{230, 60, 0, 30, 1}, Shape{101, 37, 0, 29.97, 16}, Shape{61, 60, .2, 30, 1},
          Shape{7, 9, .9, 25, 10}, Shape{1, 1, 0, 30, 1}, Shape{3, 1, 0, 30, 1}, Shape{1, 400, .01, 7, 3},
          Shape{40, 30, .1, 1e200, 1}, Shape{40, 30, 0, 1e-200, 1}, Shape{5, 5, 1, 30, 1}}) {
        CAPTURE(s.points);
        CAPTURE(s.fps);
        const RandomTracks tracks(s.points, s.frames, s.missing, seed);
        for (const FrameMetrics* metrics : {&tracks.metrics, static_cast<const FrameMetrics*>(nullptr)}) {
            const CompatVectors expected = plain(tracks.view(s.fps, s.units), metrics, {});
            on_every_variant(
                [&] { check_same(compat_vectors(tracks.view(s.fps, s.units), metrics), expected); });
        }
    }
}

TEST_CASE("compat vectors: odd ways to weigh the risk") {
    const RandomTracks tracks(60, 40, 0, 5);
    CompatRisk steep, odd_cap, negative, one;
    steep.steepness = 5000;
    odd_cap.strain_cap = 0;
    negative.impact_weight = -.3;
    one = {.01, 2, 90, 100, 0, 0, 0, 0, 1, 3, .1};
    for (const CompatRisk& risk : {steep, odd_cap, negative, one}) {
        CAPTURE(risk.steepness);
        const CompatVectors expected = plain(tracks.view(), &tracks.metrics, risk);
        on_every_variant([&] { check_same(compat_vectors(tracks.view(), &tracks.metrics, risk), expected); });
    }
}

TEST_CASE("compat vectors: a table is used again for a smaller and a larger sequence") {
    CompatVectors table;
    for (const int points : {60, 5, 90}) {
        const RandomTracks tracks(points, 20, points == 5 ? .3 : 0, 6);
        compat_vectors(tracks.view(), &tracks.metrics, {}, table);
        check_same(table, plain(tracks.view(), &tracks.metrics, {}));
    }
}
