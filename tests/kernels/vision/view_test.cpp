#include "kernels/view.h"

#include <doctest/doctest.h>

#include <limits>
#include <numeric>

namespace nightshift::kernels {

namespace {

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

std::vector<int> packed_copy(const TensorView<const int, 2>& view) {
    std::vector<int> storage;
    const int* first = packed(view, storage);
    return {first, first + element_count(view)};
}

}  // namespace

TEST_CASE("view: crops, steps, flips and channels of one array") {
    std::vector<int> numbers(24);
    std::iota(numbers.begin(), numbers.end(), 0);
    const TensorView<int, 2> all = contiguous_view(numbers.data(), {4, 6});
    CHECK(all.strides == std::array<std::int64_t, 2>{6, 1});
    CHECK(all(2, 3) == 15);
    CHECK(is_contiguous(all));
    CHECK(packed_copy(all) == numbers);

    const TensorView<int, 2> crop = sliced(sliced(all, 0, 1, 2), 1, 2, 3);
    CHECK_FALSE(is_contiguous(crop));
    CHECK(packed_copy(crop) == std::vector<int>{8, 9, 10, 14, 15, 16});
    CHECK(packed_copy(sliced(all, 0, 0, 2, 2)) == std::vector<int>{0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17});
    CHECK(packed_copy(sliced(all, 1, 5, 3, -2)) ==
          std::vector<int>{5, 3, 1, 11, 9, 7, 17, 15, 13, 23, 21, 19});

    const TensorView<int, 3> interleaved = contiguous_view(numbers.data(), {2, 4, 3});
    const TensorView<int, 2> channel = picked(interleaved, 2, 1);
    CHECK(packed_copy(channel) == std::vector<int>{1, 4, 7, 10, 13, 16, 19, 22});
    CHECK(packed_copy(sliced(channel, 1, 3, 0)).empty());

    // Rows that are whole and follow each other need no copy.
    std::vector<int> storage;
    CHECK(packed<int, 2>(sliced(all, 0, 1, 2), storage) == numbers.data() + 6);
    CHECK(storage.empty());
    CHECK(is_contiguous(sliced(sliced(all, 0, 3, 1), 1, 2, 4)));

    std::vector<int> copies(6);
    copy_elements<int, 2>(crop, contiguous_view(copies.data(), crop.shape));
    CHECK(copies == std::vector<int>{8, 9, 10, 14, 15, 16});
}

TEST_CASE("view: a slice that leaves its axis is refused") {
    std::vector<int> numbers(24);
    const TensorView<int, 2> all = contiguous_view(numbers.data(), {4, 6});
    struct {
        std::int64_t first, count, step;
    } const wrong[] = {{0, 7, 1},     {6, 1, 1},     {-1, 1, 1},        {5, 2, 1},     {0, 4, 2},
                       {4, 4, -2},    {0, 2, -1},    {0, -1, 1},        {7, 0, 1},     {0, 1, 0},
                       {0, kHuge, 1}, {1, kHuge, 1}, {5, kHuge, kHuge}, {0, 2, kHuge}, {5, 2, kLeast},
                       {kHuge, 1, 1}, {kLeast, 1, 1}};
    for (const auto& each : wrong) {
        CAPTURE(each.first);
        CAPTURE(each.count);
        CAPTURE(each.step);
        CHECK_THROWS_AS(sliced(all, 1, each.first, each.count, each.step), std::invalid_argument);
    }
    CHECK_THROWS_AS(sliced(all, 2, 0, 1), std::invalid_argument);
    CHECK_THROWS_AS(picked(all, 0, 4), std::invalid_argument);
    CHECK(sliced(all, 1, 5, 1, kHuge)(0, 0) == 0);
}

TEST_CASE("view: sizes beyond 32 bits are counted, beyond 64 refused, and nothing is allocated") {
    int one = 1;
    // One number, seen 4.9 billion times.
    const TensorView<const int, 2> repeated{&one, {70'000, 70'000}, {0, 0}};
    check_view("test", repeated);
    CHECK(element_count(repeated) == 4'900'000'000);
    CHECK_THROWS_AS(check_target("test", repeated), std::invalid_argument);
    check_target("test", TensorView<const int, 2>{&one, {1, 1}, {0, 0}});
    check_target("test", TensorView<const int, 2>{&one, {5, 0}, {0, 1}});

    const std::int64_t large = std::int64_t{1} << 32;
    CHECK_THROWS_AS(contiguous_view(&one, {large, large}), std::invalid_argument);
    CHECK_THROWS_AS(contiguous_view(&one, {large, large, 0}), std::invalid_argument);
    CHECK_THROWS_AS(contiguous_view(&one, {0, -1}), std::invalid_argument);
    CHECK_THROWS_AS(check_view("test", TensorView<const int, 1>{&one, {kLeast}, {1}}), std::invalid_argument);
    for (const std::int64_t stride : {kHuge, kLeast, large * (large >> 8), -large * (large >> 8)}) {
        CAPTURE(stride);
        CHECK_THROWS_AS(check_view("test", TensorView<const int, 2>{&one, {1, 3}, {1, stride}}),
                        std::invalid_argument);
        check_view("test", TensorView<const int, 2>{&one, {1, 1}, {1, stride}});
    }
    // Each stride alone would do.
    const std::int64_t half = kViewElementsMax / 2 + 1;
    CHECK_THROWS_AS(check_view("test", TensorView<const int, 2>{&one, {2, 2}, {half, -half}}),
                    std::invalid_argument);

    check_view("test", TensorView<const int, 2>{nullptr, {0, 5}, {5, 1}});
    CHECK_THROWS_AS(check_view("test", TensorView<const int, 2>{nullptr, {1, 5}, {5, 1}}),
                    std::invalid_argument);
}

}  // namespace nightshift::kernels
