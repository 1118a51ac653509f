#include "kernels/top_k.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tests/kernels/every_backend.h"
#include "tests/kernels/vision/vision_data.h"

namespace nightshift::tests {

using namespace nightshift::kernels;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

using Values = TensorView<const float, 2>;

Values row_of(const std::vector<float>& values) {
    const auto count = static_cast<std::int64_t>(values.size());
    return contiguous_view(values.data(), {1, count});
}

/// Every row sorted.
TopK by_definition(const Values& in, std::int64_t k) {
    TopK out;
    out.k = k;
    for (std::int64_t y = 0; y < in.shape[0]; ++y) {
        std::vector<std::int32_t> order(static_cast<std::size_t>(in.shape[1]));
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
            return !std::isnan(in(y, a)) && (std::isnan(in(y, b)) || in(y, a) > in(y, b));
        });
        for (std::int64_t i = 0; i < k; ++i) {
            out.indices.push_back(order[static_cast<std::size_t>(i)]);
            out.values.push_back(in(y, out.indices.back()));
        }
    }
    return out;
}

void check_same(const TopK& found, const TopK& expected) {
    CHECK(found.k == expected.k);
    CHECK(found.indices == expected.indices);
    CHECK(has_same_bits(found.values, expected.values));
}

}  // namespace

TEST_CASE("top_k: numbers worked out by hand") {
    on_every_backend([](Backend& device) {
        const std::vector<float> row = {3, kNan, -0.0F, 7, 0, -kInfinity, 7, kInfinity};
        const TopK three = top_k(device, row_of(row), std::int64_t{3});
        CHECK(three.indices == std::vector<std::int32_t>{7, 3, 6});
        CHECK(three.values == std::vector<float>{kInfinity, 7, 7});
        const TopK all = top_k(device, row_of(row), std::int64_t{8});
        CHECK(all.indices == std::vector<std::int32_t>{7, 3, 6, 0, 2, 4, 5, 1});
        CHECK(std::signbit(all.values[4]));
        CHECK_FALSE(std::signbit(all.values[5]));
        CHECK(std::isnan(all.values[7]));
        // Numbers run out: NaNs, the lowest column first.
        CHECK(top_k(device, row_of({kNan, 1, kNan, kNan}), std::int64_t{3}).indices ==
              std::vector<std::int32_t>{1, 0, 2});
        CHECK(top_k(device, row_of({4}), std::int64_t{1}).values == std::vector<float>{4});
        CHECK(top_k(device, row_of(row), std::int64_t{0}).values.empty());
        CHECK(top_k(device, Values{nullptr, {0, 9}, {9, 1}}, std::int64_t{4}).indices.empty());
        CHECK(top_k(device, Values{nullptr, {3, 0}, {0, 1}}, std::int64_t{0}).indices.empty());
    });
}

TEST_CASE("top_k: a sorted row's first, whatever its order and its strides") {
    for (const std::size_t columns : {1, 2, 31, 256, 1025, 4096, 9001}) {
        CAPTURE(columns);
        std::vector<std::vector<float>> rows;
        rows.push_back(some_values(columns, 4, -1, 1));
        rows.push_back(some_values(columns, 5, 0, 20));
        for (float& value : rows.back()) value = std::floor(value);  // ties
        rows.push_back(rows.front());
        std::sort(rows.back().begin(), rows.back().end());
        rows.push_back({rows.back().rbegin(), rows.back().rend()});
        rows.push_back(std::vector<float>(columns, 2.5F));
        rows.push_back(std::vector<float>(columns, kNan));
        rows.push_back(rows.front());
        for (std::size_t i = 0; i < columns; ++i) {
            if (i < columns / 2 || i % 3 == 0) rows.back()[i] = i % 7 == 3 ? -kInfinity : kNan;
        }
        std::vector<float> flat;
        for (const std::vector<float>& row : rows) flat.insert(flat.end(), row.begin(), row.end());
        const auto height = static_cast<std::int64_t>(rows.size());
        const auto width = static_cast<std::int64_t>(columns);
        const Values dense = contiguous_view(static_cast<const float*>(flat.data()), {height, width});
        // The same, column after column, with a gap between the rows' values.
        std::vector<float> turned(flat.size() * 2, 99);
        for (std::int64_t y = 0; y < height; ++y) {
            for (std::int64_t x = 0; x < width; ++x)
                turned[static_cast<std::size_t>(2 * (x * height + y))] = dense(y, x);
        }
        const Values loose{turned.data(), {height, width}, {2, 2 * height}};
        for (const std::int64_t k : {std::int64_t{1}, std::int64_t{5}, std::int64_t{600}, width - 1, width}) {
            if (k < 0 || k > width) continue;
            CAPTURE(k);
            const TopK expected = by_definition(dense, k);
            on_every_backend([&](Backend& device) {
                check_same(top_k(device, dense, k), expected);
                check_same(top_k(device, loose, k), expected);
                check_same(top_k(device, sliced(dense, 0, 1, 1), k),
                           by_definition(sliced(dense, 0, 1, 1), k));
            });
        }
    }
}

TEST_CASE("top_k: what does not fit is refused, and nothing is allocated for it") {
    const std::vector<float> row = {1, 2, 3};
    on_every_backend([&](Backend& device) {
        const auto refuses = [&](const Values& in, std::int64_t k) {
            CHECK_THROWS_AS(top_k(device, in, k), std::invalid_argument);
        };
        refuses(row_of(row), 4);
        refuses(row_of(row), -1);
        refuses(Values{nullptr, {1, 3}, {3, 1}}, 1);
        refuses(Values{row.data(), {1, -3}, {3, 1}}, 0);
        refuses(Values{row.data(), {1, kTopKColumnsMax + 1}, {0, 0}}, 1);
        refuses(Values{row.data(), {std::int64_t{1} << 50, 1 << 20}, {0, 0}}, 1 << 20);
    });
}

}  // namespace nightshift::tests
