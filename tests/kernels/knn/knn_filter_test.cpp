#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/cpu/knn_fixed_bank.h"
#include "tests/kernels/every_variant.h"
#include "tests/kernels/knn/random_rows.h"
#include "tests/support/seed.h"

using namespace nightshift::kernels;
using nightshift::tests::on_every_variant;
using nightshift::tests::random_rows;

namespace {

/// Relative error that this test's own double arithmetic may have.
constexpr double kOwnError = 1e-12;

/// Every query's bounds for every row, as the search takes them from a tile, hold the true distance.
struct Bounds {
    int wrong = 0;           ///< pairs whose distance lies outside of them
    double widest = 0;       ///< from the least to the most, as a share of |q|^2 + |b|^2
    std::int64_t pairs = 0;  ///< of a query and a row
};

Bounds bounds_of(Rows<double> bank_rows, Rows<double> queries) {
    const KnnFixedBank bank = pack_fixed_bank(bank_rows, knn_tile());
    REQUIRE(bank.is_usable);
    const int wide = bank.tile.queries, high = bank.tile.rows;
    const auto columns = static_cast<std::size_t>(bank_rows.columns);
    std::vector<double> centred(columns + 1), centred_query(columns), centred_bank(columns);
    std::vector<float> factors(static_cast<std::size_t>(wide)), limits(factors.size());
    std::vector<float> lows(static_cast<std::size_t>(wide * high));
    std::vector<std::uint32_t> hits(factors.size());
    Bounds found;
    for (std::int64_t first = 0; first < queries.rows; first += wide) {
        const auto count = static_cast<int>(std::min<std::int64_t>(wide, queries.rows - first));
        std::vector<KnnPair> values(static_cast<std::size_t>(wide * bank.pairs));
        std::fill(limits.begin(), limits.end(), std::numeric_limits<float>::quiet_NaN());
        for (int q = 0; q < count; ++q) {
            const auto at = static_cast<std::size_t>(q);
            factors[at] =
                pack_fixed_row(queries.row(first + q), bank.centre, wide, centred.data(), values.data() + q)
                    .factor;
            limits[at] = std::numeric_limits<float>::infinity();
        }
        for (std::int64_t p = 0; p < bank.panels; ++p) {
            const std::uint32_t seen = bank.tile.run({values.data(), factors.data(), limits.data()},
                                                     bank.panel(p), bank.pairs, lows.data(), hits.data());
            REQUIRE(seen == (std::uint32_t{1} << count) - 1);
            for (int q = 0; q < count; ++q) {
                const double norm = centred_row(queries.row(first + q), bank.centre, centred_query.data());
                for (int r = 0; r < high && p * high + r < bank_rows.rows; ++r) {
                    const auto row = static_cast<std::size_t>(p * high + r);
                    const double of_row =
                        centred_row(bank_rows.row(p * high + r), bank.centre, centred_bank.data());
                    double squared = 0;
                    for (std::size_t j = 0; j < columns; ++j)
                        squared += std::pow(centred_query[j] - centred_bank[j], 2);
                    const double low = lows[static_cast<std::size_t>(q * high + r)];
                    const double least = low + norm * (1 - bank.unit) - bank.tiny;
                    const double most = low + bank.widths[row] + norm * (1 + bank.unit);
                    const double own = kOwnError * (norm + of_row);
                    found.wrong += !(least <= squared + own && squared <= most + own);
                    found.widest = std::max(found.widest, (most - least) / (norm + of_row));
                    ++found.pairs;
                }
            }
        }
    }
    return found;
}

void check(const std::vector<double>& bank, const std::vector<double>& queries, std::size_t columns) {
    on_every_variant([&] {
        const auto rows = [columns](const std::vector<double>& values) {
            return Rows<double>{values.data(), static_cast<std::int64_t>(values.size() / columns),
                                static_cast<std::int64_t>(columns)};
        };
        const Bounds found = bounds_of(rows(bank), rows(queries));
        CHECK(found.wrong == 0);
        CHECK(found.pairs == static_cast<std::int64_t>(bank.size() / columns * (queries.size() / columns)));
        // Narrow enough to rule rows out: a row moves by sqrt(d) / 2 of 32,000, both sides, least to most.
        const double moved = std::sqrt(static_cast<double>(columns)) / 64000;
        CHECK(found.widest < 4.1 * (moved + 1e-6));
    });
}

}  // namespace

TEST_CASE("knn filter: distances lie within its bounds") {
    const std::uint64_t seed = nightshift::tests::seed();
    for (const std::size_t columns : {1, 2, 3, 81, 500, 4097}) {
        CAPTURE(columns);
        const std::size_t rows = columns > 100 ? 40 : 150;
        check(random_rows(rows, columns, seed), random_rows(31, columns, seed + 1), columns);
        check(random_rows(rows, columns, seed, 1e14), random_rows(31, columns, seed + 1, 1e9), columns);
        check(random_rows(rows, columns, seed, 1e-9), random_rows(31, columns, seed + 1, 1e3), columns);
    }
}

TEST_CASE("knn filter: sums of rows that point the same way, or the other, fit their bits") {
    // All values alike: a product of whole rows comes as near to 31 bits as one can.
    for (const std::size_t columns : {1, 2, 3, 4, 81, 4096}) {
        CAPTURE(columns);
        std::vector<double> bank, queries;
        for (int row = 0; row < 40; ++row) {
            const double value = (row % 2 == 0 ? 1.0 : -1.0) * std::pow(1.7, row / 2);
            bank.insert(bank.end(), columns, value);
            queries.insert(queries.end(), columns, value * 1.001);
        }
        check(bank, queries, columns);
    }
}

TEST_CASE("knn filter: one large value, beside which the others are nearly lost") {
    const std::uint64_t seed = nightshift::tests::seed();
    auto bank = random_rows(100, 20, seed), queries = random_rows(20, 20, seed + 1);
    for (std::size_t i = 0; i < bank.size(); i += 20) bank[i + i / 20 % 20] = i % 40 == 0 ? 1e6 : -1e6;
    for (std::size_t i = 0; i < queries.size(); i += 20) queries[i + 19] = 3e5;
    check(bank, queries, 20);
}

TEST_CASE("knn filter: rows at the centre, and shorter than any factor") {
    const std::vector<double> bank{1, 1, -1, -1, 0, 0, 1e-18, 0, 0, -1e-200}, queries{0, 0, 1e-19, 0, 3, 4};
    on_every_variant([&] {
        const Bounds found = bounds_of(Rows<double>{bank.data(), 5, 2}, Rows<double>{queries.data(), 3, 2});
        CHECK(found.wrong == 0);
    });
}

TEST_CASE("knn filter: a bank that no bound holds for is not used") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double odd : {nan, std::numeric_limits<double>::infinity(), -1e15, 1e300}) {
        const std::vector<double> bank{1, 2, odd, 4};
        CHECK_FALSE(pack_fixed_bank(Rows<double>{bank.data(), 2, 2}, knn_tile()).is_usable);
    }
    // An offset beside which the rows' differences are lost to centring.
    const std::vector<double> far{1e9, 1e9 + 1e-3};
    CHECK_FALSE(pack_fixed_bank(Rows<double>{far.data(), 2, 1}, knn_tile()).is_usable);
}
