#include "jobs/optimize/samplers.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "jobs/runtime/job_impl.h"

using namespace nightshift::jobs;

namespace {

const SearchSpace kSpace{{"x", Dimension::Kind::kReal, -5, 5, false, 3, {}},
                         {"rate", Dimension::Kind::kReal, 1e-4, 1, true, 2, {}},
                         {"k", Dimension::Kind::kInteger, 1, 20, false, 4, {}},
                         {"way", Dimension::Kind::kChoice, 0, 2, false, 3, {"a", "b", "c"}}};

/// Largest (0) at x = 2, rate = 0.01, k = 7, way = b.
double height(const Point& point) {
    const double x = (point[0] - 2) / 5, rate = std::log10(point[1]) + 2, k = (point[2] - 7) / 10;
    return -(x * x + rate * rate / 4 + k * k + (point[3] == 1 ? 0 : 0.5));
}

/// With way c nothing can be evaluated.
template <typename Next>
double best_of(int trials, Next next) {
    std::vector<Trial> done;
    double best = -std::numeric_limits<double>::infinity();
    for (int i = 0; i < trials; ++i) {
        Point point = next(done);
        const bool is_failed = point[3] == 2;
        const double value = is_failed ? std::numeric_limits<double>::quiet_NaN() : height(point);
        if (!is_failed) best = std::max(best, value);
        done.push_back({std::move(point), value});
    }
    return best;
}

bool is_inside(const Point& point) {
    for (std::size_t i = 0; i < kSpace.size(); ++i) {
        if (point[i] < kSpace[i].low || point[i] > kSpace[i].high) return false;
        if (kSpace[i].kind != Dimension::Kind::kReal && point[i] != std::round(point[i])) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("samplers: a grid is every combination, the last dimension fastest") {
    const auto points = grid_points(kSpace);
    REQUIRE(points.size() == 3 * 2 * 4 * 3);
    CHECK(points[0] == Point{-5, 1e-4, 1, 0});
    CHECK(points[1] == Point{-5, 1e-4, 1, 1});
    CHECK(points.back()[0] == 5);
    CHECK(std::set<Point>(points.begin(), points.end()).size() == points.size());
    SearchSpace large(3, {"x", Dimension::Kind::kReal, 0, 1, false, 100, {}});
    CHECK_THROWS_AS(grid_points(large), JobError);
}

TEST_CASE("samplers: random points lie inside, reach everything and depend on seed and number alone") {
    std::set<double> ks, words;
    int low_rates = 0;
    for (int i = 0; i < 600; ++i) {
        const Point point = random_point(kSpace, 7, i);
        REQUIRE(is_inside(point));
        ks.insert(point[2]);
        words.insert(point[3]);
        low_rates += point[1] < 1e-2 ? 1 : 0;
    }
    CHECK(ks.size() == 20);
    CHECK(words.size() == 3);
    CHECK(low_rates > 240);  // half of the decades
    CHECK(low_rates < 360);
    CHECK(random_point(kSpace, 7, 3) == random_point(kSpace, 7, 3));
    CHECK(random_point(kSpace, 7, 3) != random_point(kSpace, 8, 3));
}

TEST_CASE("samplers: tpe finds what random points of the same number do not") {
    double with_tpe = 0, at_random = 0;
    int won = 0;
    constexpr int kSeeds = 24, kTrials = 80;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        const double tpe = best_of(kTrials, [&](const auto& done) { return tpe_point(kSpace, done, seed); });
        const double random = best_of(kTrials, [&](const auto& done) {
            return random_point(kSpace, seed, static_cast<std::int64_t>(done.size()));
        });
        with_tpe += tpe;
        at_random += random;
        won += tpe > random ? 1 : 0;
    }
    CHECK(with_tpe / kSeeds > at_random / kSeeds / 3);  // both are negative: three times as near
    CHECK(won >= kSeeds * 3 / 4);
}

TEST_CASE("samplers: tpe stays inside, also with trials that failed, and repeats itself") {
    std::vector<Trial> done;
    for (int i = 0; i < 60; ++i) {
        const Point point = tpe_point(kSpace, done, 3);
        REQUIRE(is_inside(point));
        CHECK(point == tpe_point(kSpace, done, 3));
        const bool is_failed = i % 3 == 0 || i < 15;
        done.push_back({point, is_failed ? std::numeric_limits<double>::quiet_NaN() : height(point)});
    }
}

TEST_CASE("samplers: a dimension of one value is no search") {
    SearchSpace space = kSpace;
    space[0].low = space[0].high = 1.5;
    space[3].words = {"b"};
    space[3].high = 0;
    std::vector<Trial> done;
    for (int i = 0; i < 20; ++i) {
        const Point point = tpe_point(space, done, 1);
        CHECK(point[0] == 1.5);
        CHECK(point[3] == 0);
        done.push_back({point, -point[1]});
    }
}
