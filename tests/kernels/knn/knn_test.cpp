#include "kernels/knn.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>

#include "kernels/device.h"
#include "kernels/error.h"
#include "tests/kernels/every_backend.h"
#include "tests/kernels/every_variant.h"
#include "tests/kernels/knn/random_rows.h"
#include "tests/support/seed.h"

using namespace nightshift::kernels;
using nightshift::tests::on_every_backend;
using nightshift::tests::on_every_variant;
using nightshift::tests::random_rows;

namespace {

/// The definition: every distance, sorted by (distance, row).
template <typename T>
Neighbours plain(Rows<T> bank, Rows<T> queries, int k) {
    Neighbours out;
    out.k = k;
    for (std::int64_t q = 0; q < queries.rows; ++q) {
        std::vector<double> squared(static_cast<std::size_t>(bank.rows));
        for (std::int64_t b = 0; b < bank.rows; ++b) {
            for (std::int64_t j = 0; j < bank.columns; ++j) {
                const double difference =
                    static_cast<double>(queries.row(q)[j]) - static_cast<double>(bank.row(b)[j]);
                squared[static_cast<std::size_t>(b)] += difference * difference;
            }
            if (std::isnan(squared[static_cast<std::size_t>(b)]))
                squared[static_cast<std::size_t>(b)] = std::numeric_limits<double>::infinity();
        }
        std::vector<std::int32_t> order(squared.size());
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
            return squared[static_cast<std::size_t>(a)] < squared[static_cast<std::size_t>(b)];
        });
        for (int i = 0; i < k; ++i) {
            out.indices.push_back(order[static_cast<std::size_t>(i)]);
            out.distances.push_back(std::sqrt(squared[static_cast<std::size_t>(out.indices.back())]));
        }
    }
    return out;
}

void check_equal(const Neighbours& found, const Neighbours& expected) {
    CHECK(found.k == expected.k);
    REQUIRE(found.indices.size() == expected.indices.size());
    int wrong = 0;
    for (std::size_t i = 0; i < found.indices.size(); ++i) {
        wrong += found.indices[i] != expected.indices[i] || found.distances[i] != expected.distances[i];
    }
    CHECK(wrong == 0);
}

/// Always the same bits.
template <typename T>
void check_everywhere(Rows<T> bank, Rows<T> queries, int k) {
    const Neighbours expected = plain(bank, queries, k);
    on_every_backend([&](Backend& backend) { check_equal(knn(backend, bank, queries, k), expected); });
}

}  // namespace

TEST_CASE("knn: the filter never changes the answer of the plain loop") {
    const std::uint64_t seed = nightshift::tests::seed();
    struct Shape {
        std::size_t bank, queries, columns;
        int k;
        double scale, offset;
    };
    for (const Shape shape :
         {Shape{1, 1, 1, 1, 1, 0}, Shape{1, 9, 3, 1, 1, 5}, Shape{300, 130, 81, 1, 1, 0},
          Shape{257, 65, 7, 5, 1, 0}, Shape{700, 150, 1, 4, 1, 0}, Shape{90, 15, 4096, 3, 1, 0},
          Shape{500, 40, 16, 64, 1e6, 0}, Shape{200, 40, 20, 3, 1e-3, 1e2}, Shape{200, 40, 20, 3, 1e-9, 1e3},
          Shape{100, 20, 5, 2, 1e30, 0}, Shape{200, 40, 20, 3, 1e-21, 0}, Shape{200, 40, 20, 3, 1e-23, 0},
          Shape{200, 40, 20, 3, 1e-60, 0}, Shape{65, 0, 4, 2, 1, 0}}) {
        CAPTURE(shape.scale);
        CAPTURE(shape.offset);
        const auto bank = random_rows(shape.bank, shape.columns, seed, shape.scale, shape.offset);
        const auto queries = random_rows(shape.queries, shape.columns, seed + 1, shape.scale, shape.offset);
        const auto columns = static_cast<std::int64_t>(shape.columns);
        const Rows<double> a{bank.data(), static_cast<std::int64_t>(shape.bank), columns};
        const Rows<double> b{queries.data(), static_cast<std::int64_t>(shape.queries), columns};
        check_everywhere(a, b, shape.k);
    }
}

TEST_CASE("knn: where single precision cannot tell rows apart the exact distances do") {
    // A bank on a grid far finer than the filter sees, a thousand times over the hits kept for a query.
    const std::uint64_t seed = nightshift::tests::seed();
    auto bank = random_rows(3000, 12, seed, 1e-7, 3);
    for (std::size_t i = 0; i < bank.size(); i += 12) bank[i] += i % 24 == 0 ? 1 : -1;
    const auto queries = random_rows(20, 12, seed + 1, 1e-7, 3);
    const Rows<double> a{bank.data(), 3000, 12}, b{queries.data(), 20, 12};
    check_everywhere(a, b, 7);
    const std::vector<double> same(2000 * 3, 1.5);
    const Rows<double> c{same.data(), 2000, 3}, d{same.data(), 30, 3};
    CHECK(plain(c, d, 3).indices[2] == 2);
    check_everywhere(c, d, 3);
}

TEST_CASE("knn: what is no number or infinite is infinitely far, and spoils nothing else") {
    const auto bank = random_rows(200, 10, 8), queries = random_rows(60, 10, 9);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinite = std::numeric_limits<double>::infinity();
    for (const double odd : {nan, infinite, -infinite, 1e300}) {
        CAPTURE(odd);
        for (const bool in_bank : {true, false}) {
            auto odd_bank = bank, odd_queries = queries;
            (in_bank ? odd_bank : odd_queries)[57] = odd;
            const Rows<double> a{odd_bank.data(), 200, 10}, b{odd_queries.data(), 60, 10};
            CHECK(std::isinf(plain(a, b, 4).distances[5 * 4]) == !in_bank);
            check_everywhere(a, b, 4);
        }
    }
}

TEST_CASE("knn: float rows give the distances of the float values") {
    const auto wide_bank = random_rows(200, 30, 1);
    const auto wide_queries = random_rows(50, 30, 2);
    const std::vector<float> bank(wide_bank.begin(), wide_bank.end());
    const std::vector<float> queries(wide_queries.begin(), wide_queries.end());
    const Rows<float> a{bank.data(), 200, 30};
    const Rows<float> b{queries.data(), 50, 30};
    check_everywhere(a, b, 4);
}

TEST_CASE("knn: equal distances name the lower row, equal rows are at distance 0") {
    auto bank = random_rows(64, 9, 3);
    for (std::size_t j = 0; j < 9; ++j) bank[40 * 9 + j] = bank[7 * 9 + j];
    const Rows<double> rows{bank.data(), 64, 9};
    on_every_variant([&] {
        const Neighbours found = knn_cpu(rows, rows, 2, 1);
        CHECK(found.indices[40 * 2] == 7);
        CHECK(found.indices[40 * 2 + 1] == 40);
        CHECK(found.distances[40 * 2] == 0.0);
        CHECK(found.distances[40 * 2 + 1] == 0.0);
        CHECK(found.indices[3 * 2] == 3);
    });
}

TEST_CASE("knn: sizes that do not fit are refused") {
    const auto values = random_rows(10, 4, 4);
    const double* const data = values.data();
    const Rows<double> rows{data, 10, 4};
    constexpr std::int64_t kHuge = std::int64_t{1} << 60;
    on_every_backend([&](Backend& backend) {
        CHECK_THROWS_AS(knn(backend, rows, rows, 0), std::invalid_argument);
        CHECK_THROWS_AS(knn(backend, rows, rows, 11), std::invalid_argument);
        CHECK_THROWS_AS(knn(backend, rows, {data, 20, 2}, 1), std::invalid_argument);
        CHECK_THROWS_AS(knn(backend, {data, 0, 4}, rows, 1), std::invalid_argument);
        CHECK_THROWS_AS(knn(backend, {data, 10, 0}, {data, 10, 0}, 1), std::invalid_argument);
        CHECK_THROWS_AS(knn(backend, {data, kHuge, 4}, rows, 1), std::invalid_argument);
        CHECK_THROWS_AS(knn(backend, rows, {data, kHuge, 4}, 1), std::invalid_argument);
        CHECK_THROWS_AS(knn(backend, rows, {data, -1, 4}, 1), std::invalid_argument);
        CHECK_THROWS_WITH_AS(knn(backend, {data, 10, 4}, {data, 3, 4}, kNeighboursMax + 1),
                             doctest::Contains("bank [10, 4], queries [3, 4], k 65"), std::invalid_argument);
    });
}

TEST_CASE("knn: queries far outside of the bank's range, and rows in clusters") {
    const std::uint64_t seed = nightshift::tests::seed();
    auto bank = random_rows(500, 24, seed), queries = random_rows(90, 24, seed + 1);
    // Beyond what half precision has once the bank is scaled; the last ones beyond single precision's
    // squares.
    for (std::size_t q = 0; q < 90; ++q) {
        for (std::size_t j = 0; j < 24; ++j)
            queries[q * 24 + j] *= std::pow(10.0, static_cast<double>(q % 18));
    }
    check_everywhere(Rows<double>{bank.data(), 500, 24}, Rows<double>{queries.data(), 90, 24}, 3);
    // Far from the centre and near each other: the first look rules out nothing within a cluster.
    for (std::size_t i = 0; i < bank.size(); ++i) bank[i] = bank[i] * 1e-4 + (i / 24 % 3 == 0 ? 50 : -25);
    check_everywhere(Rows<double>{bank.data(), 500, 24}, Rows<double>{bank.data() + 24 * 7, 70, 24}, 4);
}

TEST_CASE("knn: a budget as large as the bank needs is enough, a smaller one is refused") {
    if (!nightshift::tests::gpu_answers()) return;
    const auto bank = random_rows(640, 81, 5), queries = random_rows(300, 81, 6);
    const Rows<double> a{bank.data(), 640, 81}, b{queries.data(), 300, 81};
    // Rows as double, float and half; the queries in tens of parts.
    const auto tight = make_cuda_backend(std::size_t{900} << 10);
    check_equal(knn_cuda(*tight, a, b, 2), knn_cpu(a, b, 2, 2));
    CHECK(tight->memory().held_bytes == 0);
    CHECK(tight->memory().peak_bytes <= std::size_t{900} << 10);
    const auto small = make_cuda_backend(std::size_t{300} << 10);
    CHECK_THROWS_WITH_AS(knn_cuda(*small, a, b, 2), doctest::Contains("over_budget: knn.bank needs"),
                         OverBudget);
    CHECK(small->memory().held_bytes == 0);
}

TEST_CASE("knn: rows of the size that PatchCore has") {
    const auto bank = random_rows(1000, 81, 5), queries = random_rows(333, 81, 6);
    check_everywhere(Rows<double>{bank.data(), 1000, 81}, Rows<double>{queries.data(), 333, 81}, 5);
    const std::vector<float> narrow(bank.begin(), bank.end()), seen(queries.begin(), queries.end());
    check_everywhere(Rows<float>{narrow.data(), 1000, 81}, Rows<float>{seen.data(), 333, 81}, 1);
}
