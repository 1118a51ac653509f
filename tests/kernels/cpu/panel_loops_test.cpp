#include "kernels/cpu/panel_loops.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/panel_shape.h"
#include "tests/kernels/every_variant.h"
#include "tests/kernels/knn/random_rows.h"
#include "tests/support/seed.h"

using namespace nightshift::kernels;
using nightshift::tests::on_every_variant;
using nightshift::tests::random_rows;

namespace {

constexpr std::size_t kRows = 23, kColumns = 37;
using Numbers = std::vector<double>;

struct Lines {
    Numbers offsets, slopes;
};

Lines plain_lines(const Numbers& matrix, const Numbers& less, const Numbers& x, const Numbers& w) {
    Lines out;
    for (std::size_t j = 0; j < kColumns; ++j) {
        double sw = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
        for (std::size_t i = 0; i < kRows; ++i) {
            sw += w[i];
            sx += w[i] * x[i];
            sy += w[i] * (matrix[i * kColumns + j] - less[i]);
        }
        for (std::size_t i = 0; i < kRows; ++i) {
            const double d = x[i] - sx / sw;
            sxx += w[i] * d * d;
            sxy += w[i] * d * ((matrix[i * kColumns + j] - less[i]) - sy / sw);
        }
        out.slopes.push_back(sxx > 1e-12 ? sxy / sxx : 0);
        out.offsets.push_back(sy / sw - out.slopes.back() * (sx / sw));
    }
    return out;
}

double sorted_deviation(Numbers values) {
    for (double& value : values) value = std::abs(value);
    std::sort(values.begin(), values.end());
    return 1.4826 * values[values.size() / 2];
}

}  // namespace

TEST_CASE("panel loops: sums and fits have the bits of the plain loop with every CPU variant") {
    const std::uint64_t seed = nightshift::tests::seed();
    const Numbers matrix = random_rows(kRows, kColumns, seed), less = random_rows(1, kRows, seed + 1),
                  x = random_rows(1, kRows, seed + 2);
    Numbers w = random_rows(1, kRows, seed + 3);
    for (double& weight : w) weight = std::abs(weight) + .1;
    Numbers sums(kColumns), left = matrix;
    for (std::size_t j = 0; j < kColumns; ++j) {
        double along = 0;
        for (std::size_t i = 0; i < kRows; ++i) {
            sums[j] += x[i] * matrix[i * kColumns + j];
            along += w[i] * matrix[i * kColumns + j] * less[i];
        }
        for (std::size_t i = 0; i < kRows; ++i) left[i * kColumns + j] -= along * less[i];
    }
    const Lines sloped = plain_lines(matrix, less, x, w),
                flat = plain_lines(matrix, less, Numbers(kRows, 2), w);
    on_every_variant([&] {
        const PanelLoops loops = panel_loops(cpu_variant());
        Numbers found(kColumns), work(kColumns), projected = matrix, offsets(kColumns), slopes(kColumns);
        loops.weighted_sums(matrix.data(), x.data(), kRows, kColumns, found.data());
        CHECK(found == sums);
        loops.project_out(projected.data(), less.data(), w.data(), kRows, kColumns, work.data());
        CHECK(projected == left);
        loops.fit_lines(matrix.data(), less.data(), x.data(), w.data(), kRows, kColumns, offsets.data(),
                        slopes.data());
        CHECK(offsets == sloped.offsets);
        CHECK(slopes == sloped.slopes);
        const Numbers twos(kRows, 2);
        loops.fit_lines(matrix.data(), less.data(), twos.data(), w.data(), kRows, kColumns, offsets.data(),
                        slopes.data());
        CHECK(offsets == flat.offsets);
        CHECK(slopes == Numbers(kColumns, 0));
    });
}

TEST_CASE("panel loops: windows and arms have the bits of the plain loop with every CPU variant") {
    const std::uint64_t seed = nightshift::tests::seed();
    const Numbers line = random_rows(1, 100, seed), weights = random_rows(1, kSmoothWidth, seed + 1);
    constexpr std::size_t kCount = 100 - kSmoothWidth + 1, kHalf = kSmoothWidth / 2, kNear = 3, kFar = 9;
    Numbers smooth(kCount), tangents(kCount), bends(100 - 2 * kFar);
    for (std::size_t i = 0; i < kCount; ++i) {
        for (std::size_t k = 0; k < kSmoothWidth; ++k) smooth[i] += weights[k] * line[i + k];
        for (std::size_t k = 1; k <= kHalf; ++k)
            tangents[i] += static_cast<double>(k) * (line[i + kHalf + k] - line[i + kHalf - k]);
    }
    for (std::size_t i = 0; i < bends.size(); ++i) {
        for (std::size_t k = kNear; k <= kFar; ++k) bends[i] += line[i + kFar + k] - line[i + kFar - k];
        bends[i] /= kFar - kNear + 1;
    }
    on_every_variant([&] {
        const PanelLoops loops = panel_loops(cpu_variant());
        Numbers found(kCount);
        loops.smooth(line.data(), weights.data(), found.data(), kCount);
        CHECK(found == smooth);
        loops.tangents(line.data(), found.data(), kCount);
        CHECK(found == tangents);
        found.resize(bends.size());
        loops.bends(line.data(), kFar, kNear, kFar, found.data(), found.size());
        CHECK(found == bends);
    });
}

TEST_CASE("panel loops: the robust deviation is that of the sorted sizes, whatever their distribution") {
    const std::uint64_t seed = nightshift::tests::seed();
    for (const std::size_t size : {1U, 2U, 63U, 64U, 65U, 440U, 3000U}) {
        CAPTURE(size);
        const Numbers normal = random_rows(1, size, seed);
        Numbers heavy = normal, coarse = normal, mostly_none = normal;
        for (double& value : heavy) value = value * value * value * value * value;
        for (double& value : coarse) value = std::round(value);
        for (double& value : mostly_none) value = value > 1 ? value : 0;
        for (const Numbers& values :
             {normal, heavy, coarse, mostly_none, Numbers(size, 0), Numbers(size, -3)}) {
            on_every_variant([&] {
                Numbers given = values;
                CHECK(robust_deviation(given) == sorted_deviation(values));
            });
        }
    }
}
