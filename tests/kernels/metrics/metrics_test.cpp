#include "kernels/metrics.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "kernels/error.h"
#include "tests/kernels/every_backend.h"
#include "tests/support/seed.h"

using namespace nightshift::kernels;
using nightshift::tests::on_every_backend;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Rows {
    std::vector<int> labels;
    std::vector<double> scores;

    ScoreSteps steps(Backend& backend) const { return score_steps(backend, labels, scores); }
};

/// Half of the scores lie on a few values, so that there are ties within and between the classes.
Rows random_rows(std::size_t count, double positive_share, std::uint64_t seed) {
    std::mt19937_64 generator(seed);
    std::uniform_real_distribution<double> uniform(0, 1);
    std::normal_distribution<double> normal;
    Rows out;
    for (std::size_t i = 0; i < count; ++i) {
        out.labels.push_back(uniform(generator) < positive_share ? 1 : 0);
        const double score = normal(generator) + out.labels.back();
        out.scores.push_back(uniform(generator) < .5 ? std::round(score * 4) / 4 : score * 1e3);
    }
    out.labels.front() = 1;
    out.labels.back() = 0;
    return out;
}

double area_by_pairs(const Rows& rows) {
    double twice = 0, pairs = 0;
    for (std::size_t i = 0; i < rows.labels.size(); ++i) {
        for (std::size_t j = 0; j < rows.labels.size(); ++j) {
            if (rows.labels[i] != 1 || rows.labels[j] == 1) continue;
            twice += rows.scores[i] > rows.scores[j] ? 2 : rows.scores[i] == rows.scores[j] ? 1 : 0;
            pairs += 1;
        }
    }
    return twice / 2 / pairs;
}

/// Precision and recall by counting at every score that occurs.
double precision_by_counts(const Rows& rows) {
    double sum = 0, positives = 0;
    for (const int label : rows.labels) positives += label;
    for (std::size_t i = 0; i < rows.labels.size(); ++i) {
        if (rows.labels[i] != 1) continue;
        double called = 0, found = 0;
        for (std::size_t j = 0; j < rows.labels.size(); ++j) {
            called += rows.scores[j] >= rows.scores[i] ? 1 : 0;
            found += rows.scores[j] >= rows.scores[i] && rows.labels[j] == 1 ? 1 : 0;
        }
        sum += found / called / positives;
    }
    return sum;
}

}  // namespace

TEST_CASE("metrics: areas of a few rows that were worked out by hand") {
    on_every_backend([](Backend& backend) {
        // The example of scikit-learn's manual.
        const ScoreSteps steps = Rows{{0, 0, 1, 1}, {.1, .4, .35, .8}}.steps(backend);
        CHECK(steps.score == std::vector<double>{.8, .4, .35, .1});
        CHECK(steps.positives == std::vector<std::uint32_t>{1, 0, 1, 0});
        CHECK(steps.negatives == std::vector<std::uint32_t>{0, 1, 0, 1});
        CHECK(roc_auc(steps) == .75);
        CHECK(average_precision(steps) == doctest::Approx(.5 + .5 * 2 / 3).epsilon(1e-15));
        CHECK(pr_auc_trapezoid(steps) == doctest::Approx(.5 + .5 * (.5 + 2. / 3) / 2).epsilon(1e-15));
        // Everything tied: half of the pairs, and precision is the share of positives.
        const ScoreSteps tied = Rows{{1, 0, 0, 1, 0}, {7, 7, 7, 7, 7}}.steps(backend);
        CHECK(tied.size() == 1);
        CHECK(roc_auc(tied) == .5);
        CHECK(average_precision(tied) == doctest::Approx(.4).epsilon(1e-15));
        CHECK(roc_auc(Rows{{1, 1, 0}, {3, 2, 1}}.steps(backend)) == 1);
        CHECK(roc_auc(Rows{{0, 0, 1}, {3, 2, 1}}.steps(backend)) == 0);
    });
}

TEST_CASE("metrics: areas are those of all pairs, below and above the size that is sorted byte by byte") {
    const std::uint64_t seed = nightshift::tests::seed();
    on_every_backend([&](Backend& backend) {
        for (const std::size_t count : {2, 3, 50, 191, 400, 1500}) {
            for (const double share : {.05, .5, .9}) {
                const Rows rows = random_rows(count, share, seed + count);
                CAPTURE(count);
                CAPTURE(share);
                const ScoreSteps steps = rows.steps(backend);
                for (std::size_t s = 1; s < steps.size(); ++s) REQUIRE(steps.score[s - 1] > steps.score[s]);
                CHECK(roc_auc(steps) == area_by_pairs(rows));
                CHECK(average_precision(steps) == doctest::Approx(precision_by_counts(rows)).epsilon(1e-12));
                const std::vector<std::uint32_t> at = steps_of(steps, rows.scores);
                for (std::size_t i = 0; i < count; ++i) REQUIRE(steps.score[at[i]] == rows.scores[i]);
            }
        }
    });
}

TEST_CASE("metrics: a missing class, no rows, one row, infinities, zeros of both signs and NaN") {
    on_every_backend([](Backend& backend) {
        CHECK(std::isnan(roc_auc(Rows{{0, 0}, {1, 2}}.steps(backend))));
        CHECK(std::isnan(average_precision(Rows{{0, 0}, {1, 2}}.steps(backend))));
        CHECK(std::isnan(pr_auc_trapezoid(Rows{{0, 0}, {1, 2}}.steps(backend))));
        CHECK(std::isnan(roc_auc(Rows{{1, 1}, {1, 2}}.steps(backend))));
        CHECK(average_precision(Rows{{1, 1}, {1, 2}}.steps(backend)) == 1);
        CHECK(score_steps(backend, {}, {}).size() == 0);
        CHECK(std::isnan(roc_auc(score_steps(backend, {}, {}))));
        // Any label but 1 is a negative.
        const ScoreSteps one = Rows{{-7}, {-3}}.steps(backend);
        CHECK(one.score == std::vector<double>{-3});
        CHECK(one.negatives == std::vector<std::uint32_t>{1});
        CHECK(one.negative_rows == 1);

        const ScoreSteps ends =
            Rows{{1, 0, 0, 1, 0}, {kInfinity, -kInfinity, 5, kInfinity, kInfinity}}.steps(backend);
        CHECK(ends.score == std::vector<double>{kInfinity, 5, -kInfinity});
        CHECK(roc_auc(ends) == doctest::Approx((2 * 2 + 2 * .5) / 6).epsilon(1e-15));
        const ScoreSteps zeros = Rows{{1, 0, 1}, {-0.0, 0.0, -1e-310}}.steps(backend);
        CHECK(zeros.size() == 2);
        CHECK(zeros.positives == std::vector<std::uint32_t>{1, 1});
        CHECK(zeros.negatives == std::vector<std::uint32_t>{1, 0});
        CHECK(!std::signbit(zeros.score[0]));

        for (const double nan : {kNan, -kNan}) {
            const ScoreSteps none = Rows{{1, 0, 1}, {1, nan, 2}}.steps(backend);
            CHECK(none.size() == 0);
            CHECK(none.positive_rows == 0);
            CHECK(std::isnan(roc_auc(none)));
            CHECK(std::isnan(average_precision(none)));
        }
        CHECK_THROWS_AS(score_steps(backend, std::vector<int>{1}, std::vector<double>{1, 2}),
                        std::invalid_argument);
        // Too many are refused before any of them is looked at.
        const int label = 1;
        const double score = 1;
        CHECK_THROWS_AS(score_steps(backend, {&label, kRankedRowsMax + 1}, {&score, kRankedRowsMax + 1}),
                        std::invalid_argument);
    });
}

TEST_CASE("metrics: steps of every device are equal, over several tiles and digits") {
    // The tile that a block sorts, and twice that and one; the last two sorts share most of their bytes.
    for (const std::size_t count : {4096, 8193}) {
        CAPTURE(count);
        std::vector<Rows> all{random_rows(count, .3, nightshift::tests::seed()), {}, {}};
        for (std::size_t i = 0; i < count; ++i) {
            all[1].labels.push_back(i % 3 == 0 ? 1 : 0);
            all[1].scores.push_back(.25 * static_cast<double>(i * 7919 % 4));
            all[2].labels.push_back(i % 5 == 0 ? 1 : 0);
            all[2].scores.push_back(-static_cast<double>(i * 2'654'435'761u % 509));
        }
        for (const Rows& rows : all) {
            const ScoreSteps wanted = score_steps(rows.labels, rows.scores);
            on_every_backend([&](Backend& backend) {
                const ScoreSteps steps = rows.steps(backend);
                CHECK(steps.score == wanted.score);
                CHECK(steps.positives == wanted.positives);
                CHECK(steps.negatives == wanted.negatives);
                CHECK(steps.positive_rows == wanted.positive_rows);
                CHECK(steps.negative_rows == wanted.negative_rows);
            });
        }
    }
}

TEST_CASE("metrics: ten million scores are counted without losing a pair") {
    on_every_backend(
        [](Backend& backend) {
            // Fibers would take minutes for what a GPU does at once.
            const std::size_t half = backend.info().name == "emulated GPU" ? 4'000 : 5'000'000;
            // Score i of the negatives and of the positives: i beats i, ties its own, loses to the rest.
            Rows rows;
            rows.labels.resize(2 * half);
            rows.scores.resize(2 * half);
            for (std::size_t i = 0; i < 2 * half; ++i) {
                rows.labels[i] = i % 2 == 0 ? 1 : 0;
                rows.scores[i] = static_cast<double>(i / 2 * 2'654'435'761u % half);
            }
            const ScoreSteps steps = rows.steps(backend);
            CHECK(steps.size() == half);
            CHECK(roc_auc(steps) == .5);
            CHECK(average_precision(steps) == doctest::Approx(.5).epsilon(1e-9));
        },
        std::size_t{1} << 30);
}

TEST_CASE("metrics: a budget that does not hold the scores is an error that leaves nothing behind") {
    const Rows rows = random_rows(2000, .5, 7);
    on_every_backend(
        [&](Backend& backend) {
            if (backend.info().kind == BackendKind::cpu) return;  // its ops keep to the host's own memory
            CHECK_THROWS_AS(rows.steps(backend), OverBudget);
            CHECK(backend.memory().held_bytes == 0);
            CHECK(Rows{{1, 0}, {2, 1}}.steps(backend).size() == 2);
        },
        std::size_t{40'000});
}
