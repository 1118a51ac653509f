// A GPU whose budget is small: ops go over their input in parts, or say that not even one fits.
#include <doctest/doctest.h>

#include <cstddef>
#include <functional>

#include "kernels/error.h"
#include "kernels/histogram.h"
#include "kernels/letterbox.h"
#include "kernels/nms.h"
#include "kernels/normalise.h"
#include "kernels/top_k.h"
#include "tests/kernels/every_backend.h"
#include "tests/kernels/vision/vision_data.h"

namespace nightshift::tests {

using namespace nightshift::kernels;

namespace {

constexpr std::size_t kEnough = std::size_t{64} << 20;

/// `is_right` with budgets from 1 KiB on, each a quarter larger than the one before: refused at first,
/// right from some budget on, and that one below what the op takes where it is not short.
void check_budgets(const std::function<bool(Backend&)>& is_right) {
    if (!nightshift::tests::gpu_answers()) return;
    std::size_t wanted = 0, least = 0;
    {
        const auto device = make_cuda_backend(kEnough);
        REQUIRE(is_right(*device));
        wanted = device->memory().peak_bytes;
    }
    for (std::size_t budget = 1024; budget < 2 * wanted; budget += budget / 4) {
        CAPTURE(budget);
        const auto device = make_cuda_backend(budget);
        try {
            const bool was_right = is_right(*device);  // a CHECK would take the exception for its own
            CHECK(was_right);
            if (least == 0) least = budget;
        } catch (const OverBudget& error) {
            CHECK(least == 0);
            CHECK(std::string(error.what()).rfind("over_budget: ", 0) == 0);
        }
        CHECK(device->memory().held_bytes == 0);
        CHECK(device->memory().peak_bytes <= budget);
    }
    CHECK(least > 1024);
    CHECK(least < wanted / 2);
}

}  // namespace

TEST_CASE("budget: letterbox in bands") {
    const std::vector<std::uint8_t> levels = some_levels(90 * 40 * 3, 1);
    const TensorView<const std::uint8_t, 3> all = contiguous_view(levels.data(), {90, 40, 3});
    for (const bool is_tall : {true, false}) {
        const auto in = is_tall ? all : sliced(all, 0, 60, 20, -3);
        std::vector<float> expected(3 * 50 * 60), out(expected.size());
        letterbox_cpu(in, contiguous_view(expected.data(), {3, 50, 60}), {});
        check_budgets([&](Backend& device) {
            out.assign(out.size(), -1);
            letterbox_cuda(device, in, contiguous_view(out.data(), {3, 50, 60}), {});
            return has_same_bits(out, expected);
        });
    }
}

TEST_CASE("budget: normalise in bands") {
    const std::vector<std::uint8_t> levels = some_levels(64 * 100 * 3, 2);
    const std::vector<float> values = some_values(3 * 64 * 100, 3);
    std::vector<float> expected(values.size()), out(values.size());
    const auto to = contiguous_view(out.data(), {3, 64, 100});
    const auto bytes = contiguous_view(levels.data(), {64, 100, 3});
    const auto floats = contiguous_view(values.data(), {3, 64, 100});
    normalise_cpu(bytes, contiguous_view(expected.data(), {3, 64, 100}), {});
    check_budgets([&](Backend& device) {
        out.assign(out.size(), -1);
        normalise_cuda(device, bytes, to, {});
        return has_same_bits(out, expected);
    });
    normalise_cpu(floats, contiguous_view(expected.data(), {3, 64, 100}), {});
    check_budgets([&](Backend& device) {
        out.assign(out.size(), -1);
        normalise_cuda(device, floats, to, {});
        return has_same_bits(out, expected);
    });
}

TEST_CASE("budget: histograms in parts of rows") {
    // Rows longer than a part, and parts of several rows.
    const std::vector<std::uint8_t> levels = some_levels(12'000, 4);
    const std::vector<float> values = some_values(12'000, 5, -1, 2);
    for (const std::int64_t rows : {3, 120}) {
        const auto bytes = contiguous_view(levels.data(), {rows, 12'000 / rows});
        const auto floats = contiguous_view(values.data(), {rows, 12'000 / rows});
        const ByteCounts of_bytes = byte_histogram_cpu(bytes);
        const ValueCounts of_floats = value_histogram_cpu(floats, {0, 1, 100});
        check_budgets([&](Backend& device) { return byte_histogram_cuda(device, bytes) == of_bytes; });
        check_budgets([&](Backend& device) {
            return value_histogram_cuda(device, floats, {0, 1, 100}) == of_floats;
        });
    }
}

TEST_CASE("budget: top_k a few rows at a time") {
    const std::vector<float> values = some_values(40 * 300, 6);
    const auto in = contiguous_view(values.data(), {40, 300});
    const TopK expected = top_k_cpu(in, 7);
    check_budgets([&](Backend& device) { return top_k_cuda(device, in, 7) == expected; });
}

TEST_CASE("budget: NMS a few words of its mask at a time") {
    constexpr std::int64_t kCount = 700;
    std::vector<float> boxes = some_values(4 * kCount, 7, 0, 100);
    for (std::size_t i = 0; i < boxes.size(); i += 4) {
        boxes[i + 2] = boxes[i] + 12;
        boxes[i + 3] = boxes[i + 1] + 12;
    }
    const std::vector<float> scores = some_values(kCount, 8);
    std::vector<std::int32_t> classes(kCount);
    for (std::size_t i = 0; i < classes.size(); ++i) classes[i] = static_cast<std::int32_t>(i % 2);
    const auto box_view = contiguous_view(static_cast<const float*>(boxes.data()), {kCount, 4});
    const auto score_view = contiguous_view(scores.data(), {kCount});
    const auto class_view = contiguous_view(static_cast<const std::int32_t*>(classes.data()), {kCount});
    const std::vector<std::int64_t> expected = nms_cpu(box_view, score_view, class_view, {});
    check_budgets(
        [&](Backend& device) { return nms_cuda(device, box_view, score_view, class_view, {}) == expected; });
}

}  // namespace nightshift::tests
