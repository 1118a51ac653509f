// A device that is lost while an op goes over its input in parts.
#include <doctest/doctest.h>

#include <vector>

#include "kernels/histogram.h"
#include "kernels/letterbox.h"
#include "kernels/nms.h"
#include "kernels/normalise.h"
#include "kernels/top_k.h"
#include "tests/kernels/emulator/lost_device.h"
#include "tests/kernels/vision/vision_data.h"

using namespace nightshift::kernels;
using nightshift::tests::check_lost;
using nightshift::tests::some_levels;
using nightshift::tests::some_values;

namespace {

/// Enough for two or three parts of what follows.
constexpr std::size_t kLittle = std::size_t{24} << 10;

}  // namespace

TEST_CASE("faults: letterbox on a device that is lost") {
    const std::vector<std::uint8_t> levels = some_levels(60 * 90 * 3, 1);
    std::vector<float> out(3 * 40 * 50);
    check_lost(
        "letterbox (in [60, 90, 3], out [40, 50])",
        [&](Backend& backend) {
            letterbox_cuda(backend, contiguous_view(levels.data(), {60, 90, 3}),
                           contiguous_view(out.data(), {3, 40, 50}), {});
        },
        kLittle);
}

TEST_CASE("faults: normalise on a device that is lost") {
    const std::vector<std::uint8_t> levels = some_levels(60 * 50 * 3, 1);
    std::vector<float> out(levels.size());
    check_lost(
        "normalise (out [3, 60, 50])",
        [&](Backend& backend) {
            normalise_cuda(backend, contiguous_view(levels.data(), {60, 50, 3}),
                           contiguous_view(out.data(), {3, 60, 50}), {});
        },
        kLittle);
}

TEST_CASE("faults: histograms on a device that is lost") {
    const std::vector<std::uint8_t> levels = some_levels(50'000, 2);
    const std::vector<float> values = some_values(15'000, 3);
    check_lost(
        "byte_histogram (in [50, 1000])",
        [&](Backend& backend) {
            byte_histogram_cuda(backend, contiguous_view(levels.data(), {50, 1000}));
        },
        kLittle);
    check_lost(
        "value_histogram (in [15, 1000], bins 10)",
        [&](Backend& backend) {
            value_histogram_cuda(backend, contiguous_view(values.data(), {15, 1000}), {});
        },
        kLittle);
}

TEST_CASE("faults: top_k on a device that is lost") {
    const std::vector<float> values = some_values(10 * 1000, 3);
    check_lost(
        "top_k (in [10, 1000], k 4)",
        [&](Backend& backend) {
            top_k_cuda(backend, contiguous_view(values.data(), {10, 1000}), 4);
        },
        kLittle);
}

TEST_CASE("faults: NMS on a device that is lost") {
    const std::vector<float> boxes = some_values(4 * 300, 4), scores = some_values(300, 5);
    const std::vector<std::int32_t> classes(300);
    check_lost(
        "nms (candidates 300)",
        [&](Backend& backend) {
            nms_cuda(backend, contiguous_view(boxes.data(), {300, 4}), contiguous_view(scores.data(), {300}),
                     contiguous_view(classes.data(), {300}), {});
        },
        kLittle);
}
