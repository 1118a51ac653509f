#include "kernels/coreset.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>

#include "kernels/device.h"
#include "kernels/error.h"
#include "tests/kernels/knn/random_rows.h"
#include "tests/support/seed.h"

using namespace nightshift::kernels;
using nightshift::tests::random_rows;

namespace {

/// The definition, without pruning.
std::vector<std::int64_t> plain(Rows<double> data, std::int64_t count, std::int64_t start) {
    std::vector<double> nearest(static_cast<std::size_t>(data.rows), std::numeric_limits<double>::infinity());
    std::vector<std::int64_t> picks{start};
    while (static_cast<std::int64_t>(picks.size()) < count) {
        std::int64_t best = -1;
        for (std::int64_t r = 0; r < data.rows; ++r) {
            double sum = 0;
            for (std::int64_t j = 0; j < data.columns; ++j) {
                sum += std::pow(data.row(r)[j] - data.row(picks.back())[j], 2);
            }
            auto& own = nearest[static_cast<std::size_t>(r)];
            own = std::min(own, sum);
            const bool is_picked = std::find(picks.begin(), picks.end(), r) != picks.end();
            if (!is_picked && (best < 0 || own > nearest[static_cast<std::size_t>(best)])) best = r;
        }
        picks.push_back(best);
    }
    return picks;
}

}  // namespace

TEST_CASE("coreset: pruning and threads pick the rows of the plain loop") {
    const std::uint64_t seed = nightshift::tests::seed();
    for (const std::size_t columns : {1U, 3U, 16U, 75U}) {
        const auto values = random_rows(9000 / columns, columns, seed + columns);
        const Rows<double> data{values.data(), static_cast<std::int64_t>(9000 / columns),
                                static_cast<std::int64_t>(columns)};
        const auto expected = plain(data, 60, 11);
        CHECK(greedy_coreset_cpu(data, 60, 11, 1).picks == expected);
        CHECK(greedy_coreset_cpu(data, 60, 11, 2).picks == expected);
    }
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

TEST_CASE("coreset: progress can stop it, wrong sizes are refused") {
    const auto values = random_rows(100, 4, 1);
    const Rows<double> data{values.data(), 100, 4};
    const Coreset part = greedy_coreset_cpu(data, 50, 0, 1, [](std::int64_t picked) { return picked < 10; });
    CHECK(part.picks.size() == 10);
    CHECK_THROWS_AS(greedy_coreset_cpu(data, 101, 0, 1), std::invalid_argument);
    CHECK_THROWS_AS(greedy_coreset_cpu(data, 1, 100, 1), std::invalid_argument);
}

TEST_CASE("coreset: the GPU agrees with the CPU") {
    const auto values = random_rows(5000, 40, 2);
    const Rows<double> data{values.data(), 5000, 40};
    if (!cuda_available()) {
        CHECK_THROWS_AS(greedy_coreset_cuda(data, 10, 0), DeviceError);
        return;
    }
    const Coreset cpu = greedy_coreset_cpu(data, 600, 3, 2);
    const Coreset gpu = greedy_coreset_cuda(data, 600, 3);
    CHECK(cpu.picks == gpu.picks);
    for (std::size_t i = 0; i < cpu.remaining.size(); ++i) {
        REQUIRE(gpu.remaining[i] == doctest::Approx(cpu.remaining[i]).epsilon(1e-12));
    }
}
