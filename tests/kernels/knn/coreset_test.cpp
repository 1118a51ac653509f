#include "kernels/coreset.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <stdexcept>

#include "kernels/device.h"
#include "kernels/error.h"
#include "tests/kernels/every_backend.h"
#include "tests/kernels/every_variant.h"
#include "tests/kernels/knn/coreset_rows.h"
#include "tests/kernels/knn/random_rows.h"
#include "tests/support/seed.h"

using namespace nightshift::kernels;
using nightshift::tests::on_every_backend;
using nightshift::tests::plain_coreset;
using nightshift::tests::random_rows;

TEST_CASE("coreset: pruning and threads pick the rows of the plain loop") {
    const std::uint64_t seed = nightshift::tests::seed();
    for (const std::size_t columns : {1U, 3U, 16U, 75U}) {
        const auto values = random_rows(9000 / columns, columns, seed + columns);
        const Rows<double> data{values.data(), static_cast<std::int64_t>(9000 / columns),
                                static_cast<std::int64_t>(columns)};
        const auto expected = plain_coreset(data, 60, 11).picks;
        CHECK(greedy_coreset_cpu(data, 60, 11, 1).picks == expected);
        CHECK(greedy_coreset_cpu(data, 60, 11, 2).picks == expected);
    }
}

TEST_CASE("coreset: rows that wait for the newest picks change no pick and no distance") {
    constexpr std::int64_t kRows = 8200, kColumns = 5, kPicks = 250;
    // Whole numbers, few of them: many rows are as far as others, and sums have no rounding.
    auto values = random_rows(kRows, kColumns, nightshift::tests::seed());
    for (double& value : values) value = std::round(4 * value);
    const Rows<double> data{values.data(), kRows, kColumns};
    const Coreset wanted = plain_coreset(data, kPicks, 7);
    nightshift::tests::on_every_variant([&] {
        for (const int threads : {1, 2}) {
            CAPTURE(threads);
            const Coreset found = greedy_coreset_cpu(data, kPicks, 7, threads);
            CHECK(found.picks == wanted.picks);
            CHECK(found.remaining == wanted.remaining);
            CHECK(std::is_sorted(found.distances.begin() + 1, found.distances.end(), std::greater<>()));
        }
    });
}

TEST_CASE("coreset: no row comes twice, ties go to the lowest row") {
    // A unit square and two copies of its first corner.
    const std::vector<double> values{0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0};
    const Coreset all = greedy_coreset_cpu({values.data(), 6, 2}, 6, 0, 1);
    CHECK(all.picks == std::vector<std::int64_t>{0, 3, 1, 2, 4, 5});
    CHECK(all.distances[1] == std::sqrt(2.0));
    CHECK(all.distances[4] == 0.0);
    CHECK(std::set<std::int64_t>(all.picks.begin(), all.picks.end()).size() == 6);
}

TEST_CASE("coreset: progress can stop it") {
    const auto values = random_rows(1000, 4, 1);
    const Rows<double> data{values.data(), 1000, 4};
    const Coreset whole = greedy_coreset_cpu(data, 900, 0, 1);
    on_every_backend([&](Backend& backend) {
        std::int64_t told = 0;
        const Coreset part = greedy_coreset(backend, data, 900, 0, [&](std::int64_t picked) {
            told = picked;
            return picked < 500;
        });
        CHECK(told >= 500);
        CHECK(told < 900);
        REQUIRE(static_cast<std::int64_t>(part.picks.size()) == told);
        CHECK(std::equal(part.picks.begin(), part.picks.end(), whole.picks.begin()));
    });
}

TEST_CASE("coreset: any one size, and what has no sense is refused") {
    const auto values = random_rows(2, kCoresetColumnsMax, 1);
    on_every_backend([&](Backend& backend) {
        const Rows<double> wide{values.data(), 2, kCoresetColumnsMax}, one{values.data(), 1, 3};
        CHECK(greedy_coreset(backend, wide, 2, 1).picks == std::vector<std::int64_t>{1, 0});
        CHECK(greedy_coreset(backend, one, 1, 0).distances == std::vector<double>{0});
        CHECK(greedy_coreset(backend, one, 1, 0).remaining == std::vector<double>{0});
        const Rows<double> column{values.data(), 500, 1};
        CHECK(greedy_coreset(backend, column, 77, 4).picks == plain_coreset(column, 77, 4).picks);
        const std::int64_t huge = std::int64_t{1} << 62;
        for (const Rows<double>& odd :
             {Rows<double>{values.data(), 0, 3}, Rows<double>{values.data(), 3, 0},
              Rows<double>{values.data(), 1, kCoresetColumnsMax + 1}, Rows<double>{values.data(), huge, 4}})
            CHECK_THROWS_AS(greedy_coreset(backend, odd, 1, 0), std::invalid_argument);
        CHECK_THROWS_AS(greedy_coreset(backend, column, 501, 0), std::invalid_argument);
        CHECK_THROWS_AS(greedy_coreset(backend, column, 0, 0), std::invalid_argument);
        CHECK_THROWS_AS(greedy_coreset(backend, column, 1, 500), std::invalid_argument);
        CHECK_THROWS_AS(greedy_coreset(backend, column, 1, -1), std::invalid_argument);
        for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
            auto with_bad = values;
            with_bad[7] = bad;
            CHECK_THROWS_WITH_AS(greedy_coreset(backend, {with_bad.data(), 5, 4}, 1, 0),
                                 doctest::Contains("row 1 has a value that is not finite"),
                                 std::invalid_argument);
        }
    });
}

TEST_CASE("coreset: rows that the budget does not hold are refused") {
    if (!nightshift::tests::gpu_answers()) return;
    const auto values = random_rows(5000, 40, 2);
    const auto backend = make_cuda_backend(1 << 20);
    CHECK_THROWS_WITH_AS(greedy_coreset(*backend, {values.data(), 5000, 40}, 10, 0),
                         doctest::Contains("over_budget: coreset.rows needs 1.5 MiB"), OverBudget);
    CHECK(backend->memory().held_bytes == 0);
}

TEST_CASE("coreset: every backend gives the same bits") {
    const auto values = random_rows(5000, 40, 2);
    const Rows<double> data{values.data(), 5000, 40};
    const Coreset wanted = greedy_coreset_cpu(data, 600, 3, 2);
    on_every_backend([&](Backend& backend) {
        const Coreset found = greedy_coreset(backend, data, 600, 3);
        CHECK(found.picks == wanted.picks);
        CHECK(found.distances == wanted.distances);
        CHECK(found.remaining == wanted.remaining);
    });
}
