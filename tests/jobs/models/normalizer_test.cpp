#include "jobs/models/normalizer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

using namespace nightshift;

namespace {

constexpr std::size_t kRows = 1000, kColumns = 5;

/// Means far above the spread, gaps, a column without any value, one without spread.
std::vector<double> rows() {
    std::mt19937_64 random(7);
    std::normal_distribution<double> normal;
    std::vector<double> out;
    for (std::size_t r = 0; r < kRows; ++r) {
        out.push_back(1e9 + normal(random));
        out.push_back(r % 3 == 0 ? std::numeric_limits<double>::quiet_NaN() : 1e-3 * normal(random));
        out.push_back(std::numeric_limits<double>::quiet_NaN());
        out.push_back(.1);
        out.push_back(r == 5 ? std::numeric_limits<double>::infinity() : normal(random));
    }
    return out;
}

}  // namespace

TEST_CASE("normalizer: rows in pieces give the bits of all at once") {
    const std::vector<double> all = rows();
    const jobs::Normalizer whole = jobs::fit_normalizer(all, kColumns);
    jobs::NormalizerFit fit(kColumns);
    for (int pass = 0; pass < 2; ++pass) {
        if (pass == 1) fit.start_again();
        for (std::size_t first = 0, count = 1; first < kRows; first += count, count = 2 * count + pass) {
            count = std::min(count, kRows - first);
            fit.add(std::span(all).subspan(first * kColumns, count * kColumns));
        }
    }
    const jobs::Normalizer found = fit.finish();
    CHECK(fit.rows() == kRows);
    CHECK(found.mean == whole.mean);
    CHECK(found.deviation == whole.deviation);
    CHECK(found.is_zeroed == whole.is_zeroed);
}

TEST_CASE("normalizer: mean and sample deviation of what is there") {
    const std::vector<double> all = rows();
    const jobs::Normalizer found = jobs::fit_normalizer(all, kColumns);
    for (std::size_t j = 0; j < kColumns; ++j) {
        CAPTURE(j);
        long double sum = 0, squares = 0;
        std::size_t count = 0;
        for (std::size_t r = 0; r < kRows; ++r)
            if (std::isfinite(all[r * kColumns + j])) sum += all[r * kColumns + j], ++count;
        if (count == 0) {
            CHECK(found.is_zeroed[j] == 1);
            continue;
        }
        const long double mean = sum / static_cast<long double>(count);
        for (std::size_t r = 0; r < kRows; ++r) {
            const long double off = all[r * kColumns + j] - mean;
            if (std::isfinite(all[r * kColumns + j])) squares += off * off;
        }
        CHECK(found.mean[j] == doctest::Approx(static_cast<double>(mean)).epsilon(1e-12));
        CHECK(found.is_zeroed[j] == (j == 3 ? 1 : 0));
        if (j == 3) continue;
        CHECK(found.deviation[j] ==
              doctest::Approx(static_cast<double>(std::sqrt(squares / static_cast<long double>(count - 1))))
                  .epsilon(1e-9));
    }
}

TEST_CASE("normalizer: what is missing or has no spread becomes 0, the rest keeps its sign") {
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const jobs::Normalizer one{{1, 2, 3}, {2, 4, 0}, {0, 0, 1}};
    std::vector<double> values{1, kNaN, 3, 5, kInfinity, 9, -3, -kInfinity, kNaN, 0.5, 2, kInfinity};
    one.apply(values);
    CHECK(values == std::vector<double>{0, 0, 0, 2, 0, 0, -2, 0, 0, -0.25, 0, 0});
    CHECK(!std::signbit(values[7]));
    // A column of nothing but -0 has the mean 0 of a sum that began at 0.
    const jobs::Normalizer zero = jobs::fit_normalizer(std::vector<double>{-0.0, -0.0}, 1);
    CHECK(!std::signbit(zero.mean[0]));
    CHECK(zero.is_zeroed[0] == 1);
}
