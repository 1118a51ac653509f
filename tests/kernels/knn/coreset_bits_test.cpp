#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/kernels/every_variant.h"
#include "tests/kernels/knn/coreset_rows.h"
#include "tests/kernels/knn/random_rows.h"
#include "tests/support/seed.h"

using namespace nightshift::kernels;
using nightshift::tests::on_every_variant;
using nightshift::tests::plain_coreset;
using nightshift::tests::random_rows;
using nightshift::tests::rows_of;

namespace {

/// Every pick, distance and remaining distance has the bits of the definition.
void check(const std::vector<double>& values, std::size_t columns, std::int64_t count) {
    CAPTURE(columns);
    const Rows<double> data = rows_of(values, columns);
    const std::int64_t start = data.rows / 3;
    const Coreset wanted = plain_coreset(data, count, start);
    on_every_variant([&] {
        for (const int threads : {1, 2}) {
            const Coreset found = greedy_coreset_cpu(data, count, start, threads);
            CHECK(found.picks == wanted.picks);
            CHECK(found.distances == wanted.distances);
            CHECK(found.remaining == wanted.remaining);
        }
    });
}

/// Heaps of `each` rows, `spread` wide and `apart` from each other.
std::vector<double> heaps(std::size_t rows, std::size_t columns, std::size_t each, double spread,
                          double apart) {
    const std::uint64_t seed = nightshift::tests::seed();
    auto values = random_rows(rows, columns, seed, spread);
    const auto centres = random_rows(rows / each + 1, columns, seed + 1, apart);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] += centres[i / columns / each * columns + i % columns];
    return values;
}

}  // namespace

TEST_CASE("coreset bits: any number of columns, few picks and all rows") {
    const std::uint64_t seed = nightshift::tests::seed();
    for (const std::size_t columns : {1, 2, 3, 5, 16, 17, 81}) {
        const auto values = random_rows(331, columns, seed + columns);
        for (const std::int64_t count : {2, 15, 16, 90, 331}) check(values, columns, count);
    }
    check(random_rows(60, 4096, seed), 4096, 40);
    check(random_rows(60, 4095, seed), 4095, 40);
    // Enough rows for two threads.
    check(random_rows(8300, 3, seed), 3, 150);
}

TEST_CASE("coreset bits: equal distances and rows twice there") {
    auto values = random_rows(700, 4, nightshift::tests::seed());
    for (double& value : values) value = std::round(value);
    check(values, 4, 300);
    for (std::size_t i = 0; i < values.size() / 2; ++i) values[values.size() / 2 + i] = values[i];
    check(values, 4, 690);
    check(std::vector<double>(300, 0.0), 3, 50);
    check(std::vector<double>(300, 7.0), 3, 50);
    // Of a line of whole numbers every second one is as far as the next.
    std::vector<double> line(257);
    for (std::size_t i = 0; i < line.size(); ++i) line[i] = static_cast<double>(i * 37 % 257);
    check(line, 1, 200);
}

TEST_CASE("coreset bits: distances that differ in their last places") {
    // Corners of a simplex, a hair longer or shorter: rows are as far from each other but for roundings.
    constexpr std::size_t kRows = 120;
    std::vector<double> values(kRows * kRows, 0.0);
    for (std::size_t r = 0; r < kRows; ++r)
        values[r * kRows + r] = 1 + static_cast<double>(r * 31 % 17) * 0x1p-51;
    check(values, kRows, 100);
    // A circle, so that many rows lie between two picks, as far from either.
    std::vector<double> circle;
    for (int r = 0; r < 720; ++r) {
        circle.push_back(std::cos(r * 0.008726646259971648));
        circle.push_back(std::sin(r * 0.008726646259971648));
    }
    check(circle, 2, 400);
}

TEST_CASE("coreset bits: heaps apart from each other, also so far that the filter tells nothing") {
    for (const double apart : {1.0, 10.0, 1e3, 1e5, 1e8}) {
        CAPTURE(apart);
        check(heaps(600, 6, 40, 1, apart), 6, 250);
        check(heaps(600, 6, 300, 1, apart), 6, 250);
    }
}

TEST_CASE("coreset bits: rows far from the origin") {
    const std::uint64_t seed = nightshift::tests::seed();
    for (const double offset : {1e3, 1e6, 1e9, 1e14}) {
        CAPTURE(offset);
        check(random_rows(400, 7, seed, 1, offset), 7, 120);
    }
}

TEST_CASE("coreset bits: squares below and beyond what a float and a double hold") {
    const std::uint64_t seed = nightshift::tests::seed();
    for (const double scale :
         {1e-300, 1e-165, 1e-155, 1e-40, 1e-23, 1e-18, 1e-15, 1e-9, 1e9, 1e14, 1e16, 1e150}) {
        CAPTURE(scale);
        check(random_rows(300, 5, seed, scale), 5, 100);
    }
    // Of every size at once.
    auto values = random_rows(400, 4, seed);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] *= std::pow(10.0, static_cast<double>(i / 4 % 33) - 20);
    check(values, 4, 350);
    // One large column beside which the others are nearly lost.
    values = random_rows(400, 4, seed);
    for (std::size_t i = 0; i < values.size(); i += 4) values[i] *= 1e5;
    check(values, 4, 350);
}
