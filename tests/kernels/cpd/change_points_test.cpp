#include "kernels/change_points.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "tests/support/seed.h"

using namespace nightshift::kernels;
using Points = std::vector<std::int64_t>;
using Values = std::vector<double>;

namespace {

double squares(const Values& x, std::size_t first, std::size_t end) {
    double mean = 0, sum = 0;
    for (std::size_t i = first; i < end; ++i) mean += x[i] / static_cast<double>(end - first);
    for (std::size_t i = first; i < end; ++i) sum += (x[i] - mean) * (x[i] - mean);
    return sum;
}

double cost_of(const Values& x, const Points& points, double pen) {
    double total = 0;
    std::size_t first = 0;
    for (const std::int64_t point : points) {
        total += squares(x, first, static_cast<std::size_t>(point)) + pen;
        first = static_cast<std::size_t>(point);
    }
    return total + squares(x, first, x.size()) + pen;
}

/// The least cost over every way to cut the series.
double brute_force(const Values& x, std::size_t shortest, double pen) {
    double best = std::numeric_limits<double>::infinity();
    for (std::uint32_t cuts = 0; cuts < 1u << (x.size() - 1); ++cuts) {
        Points points;
        bool is_allowed = true;
        std::size_t last = 0;
        for (std::size_t i = 1; i <= x.size(); ++i) {
            if (i < x.size() && (cuts >> (i - 1) & 1u) == 0) continue;
            is_allowed = is_allowed && i - last >= shortest;
            last = i;
            if (i < x.size()) points.push_back(static_cast<std::int64_t>(i));
        }
        if (is_allowed) best = std::min(best, cost_of(x, points, pen));
    }
    return best;
}

Values steps(std::initializer_list<std::pair<int, double>> parts, double noise, std::uint64_t seed) {
    std::mt19937_64 generator(seed);
    std::normal_distribution<double> normal(0, noise);
    Values out;
    for (const auto& [count, level] : parts) {
        for (int i = 0; i < count; ++i) out.push_back(level + normal(generator));
    }
    return out;
}

}  // namespace

TEST_CASE("cusum compat: two one-sided sums, never reset, alarms min_size apart") {
    CusumOptions options;
    options.target = 0;
    options.sensitivity = .5;
    options.threshold = 2;
    options.min_size = 2;
    const ScoredChanges found = cusum_compat(Values{9, 2, 2, 0, 0, -9, 0}, options);
    // Index 0 does not count; up: 1.5, 3, 2.5, 2, 0; down at 5: 8.5.
    CHECK(found.scores == Values{0, 1.5, 3, 2.5, 2, 8.5, 8});
    CHECK(found.change_points == Points{2, 5});
    CHECK(cusum_compat(Values{1}, options).scores.empty());
    CHECK(cusum_compat(Values{4, 4, 4, 4}, {}).change_points.empty());
}

TEST_CASE("window compat: the larger ratio of means or deviations, both ways round") {
    WindowOptions options;
    options.window_size = 2;
    Values x(24, 1.0);
    x[12] = 3, x[13] = 3;
    const ScoredChanges found = window_compat(x, options);
    CHECK(found.scores[12] == doctest::Approx(3).epsilon(1e-5));
    // Of a window without spread and one with: its deviation over the guard.
    CHECK(found.scores[11] == doctest::Approx(.5e6).epsilon(1e-5));
    CHECK(found.scores[2] == doctest::Approx(2));
    CHECK(found.scores[1] == 0);
    CHECK(found.change_points.front() == 11);
    // Refused by the default window's length, though this window would fit.
    CHECK(window_compat(Values(19, 1.0), options).scores.empty());
}

TEST_CASE("pelt exact: no segmentation is cheaper, by trying all of them") {
    std::mt19937_64 generator(nightshift::tests::seed());
    std::normal_distribution<double> normal;
    for (int round = 0; round < 60; ++round) {
        const std::size_t n = 4 + static_cast<std::size_t>(round) % 11;
        Values x(n);
        for (double& value : x) value = 1e3 + normal(generator) + (generator() % 3 == 0 ? 3 : 0);
        PeltOptions options;
        options.min_size = 1 + round % 4;
        options.pen = .1 * (1 + round % 7);
        const Segmentation found = pelt_exact(x, options);
        CAPTURE(round);
        REQUIRE(n >= static_cast<std::size_t>(options.min_size));
        const double best = brute_force(x, static_cast<std::size_t>(options.min_size), options.pen);
        CHECK(found.cost == doctest::Approx(best).epsilon(1e-9));
        CHECK(cost_of(x, found.change_points, options.pen) == doctest::Approx(found.cost).epsilon(1e-9));
    }
}

TEST_CASE("pelt exact: pruning loses nothing on a long series") {
    const Values x = steps({{70, 0}, {50, 2}, {4, -3}, {90, 1}, {86, 1.5}}, 1, nightshift::tests::seed());
    PeltOptions options;
    options.min_size = 4;
    options.pen = 12;
    // Plain optimal partitioning.
    std::vector<double> best(x.size() + 1, std::numeric_limits<double>::infinity());
    best[0] = 0;
    for (std::size_t end = 4; end <= x.size(); ++end) {
        for (std::size_t first = 0; first + 4 <= end; ++first)
            best[end] = std::min(best[end], best[first] + squares(x, first, end) + options.pen);
    }
    CHECK(pelt_exact(x, options).cost == doctest::Approx(best.back()).epsilon(1e-9));
}

TEST_CASE("pelt compat: candidates lie on the jump's grid, short series have none") {
    const Values x = steps({{20, 0}, {20, 10}, {20, 0}}, .1, 3);
    PeltOptions options;
    CHECK(pelt_compat(x, options).change_points == Points{20, 40});
    options.jump = 7;
    for (const std::int64_t point : pelt_compat(x, options).change_points) CHECK(point % 7 == 0);
    CHECK(pelt_compat(Values{1, 9, 1, 9, 1}, {}).change_points.empty());
    CHECK(std::isnan(pelt_compat(Values{1, 9, 1, 9, 1}, {}).cost));
    options.is_stopped = [] { return true; };
    CHECK(pelt_compat(x, options).change_points.empty());
}

TEST_CASE("cusum runs: one run a shift, named by its first frame, in either direction") {
    const Values x = steps({{60, 5}, {60, 9}, {60, 3}}, .5, 5);
    RunOptions options;
    options.baseline = 20;
    const Runs found = cusum_runs(x, options);
    REQUIRE(found.runs.size() == 2);
    // Noise can start a run a little early; it cannot start one late.
    CHECK(found.runs[0].start <= 61);
    CHECK(found.runs[0].start >= 57);
    CHECK(found.runs[1].start <= 121);
    CHECK(found.runs[1].start >= 117);
    CHECK(found.runs[0].alarm - found.runs[0].start >= 2);
    CHECK(found.runs[0].score > options.threshold);
    // The scale of the signal does not matter, that of the reference does.
    Values large = x;
    for (double& value : large) value *= 1e4;
    CHECK(cusum_runs(large, options).runs.size() == 2);
    CHECK(cusum_compat(large, {}).change_points.size() > 30);
    CHECK(cusum_runs(Values(50, 7.0), {}).runs.empty());
}

TEST_CASE("window contrast: a peak a step, also where means are negative") {
    const Values x = steps({{40, -5}, {40, -3}, {40, -5}}, .3, 5);
    const ScoredChanges found = window_contrast(x, {});
    REQUIRE(found.change_points.size() == 2);
    CHECK(std::abs(found.change_points[0] - 40) <= 1);
    CHECK(std::abs(found.change_points[1] - 80) <= 1);
    CHECK(difference_noise(x) == doctest::Approx(.3).epsilon(.35));
}

TEST_CASE("combine: any, all, more than half") {
    const std::vector<Points> lists{{1, 5, 9}, {5, 9}, {9, 20}, {5}};
    CHECK(combine_changes(lists, Combine::kUnion) == Points{1, 5, 9, 20});
    CHECK(combine_changes(lists, Combine::kIntersection).empty());
    CHECK(combine_changes(lists, Combine::kMajority) == Points{5, 9});
    CHECK(combine_changes(std::span(lists).first(2), Combine::kMajority) == Points{5, 9});
}
