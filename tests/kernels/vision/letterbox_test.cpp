#include "kernels/letterbox.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/kernels/every_backend.h"
#include "tests/kernels/vision/vision_data.h"

namespace nightshift::tests {

using namespace nightshift::kernels;

namespace {

using Image = TensorView<const std::uint8_t, 3>;
using Planes = TensorView<float, 3>;

Image image_of(const std::vector<std::uint8_t>& levels, std::int64_t h, std::int64_t w, std::int64_t c) {
    return contiguous_view(levels.data(), {h, w, c});
}

std::vector<float> boxed(Backend& device, const Image& in, std::int64_t height, std::int64_t width,
                         const LetterboxParams& params) {
    std::vector<float> out(static_cast<std::size_t>(in.shape[2] * height * width), -1);
    letterbox(device, in, contiguous_view(out.data(), {in.shape[2], height, width}), params);
    return out;
}

LetterboxParams plain_levels() {
    LetterboxParams params;
    params.pixels.full = 1;
    return params;
}

/// The header's definition, one output value after the other.
std::vector<float> by_definition(const Image& in, std::int64_t height, std::int64_t width,
                                 const LetterboxParams& params) {
    const LetterboxPlace place = letterbox_place(in.shape[0], in.shape[1], height, width, params.enlarges);
    std::vector<float> out;
    for (std::int64_t c = 0; c < in.shape[2]; ++c) {
        const std::int64_t from = params.swaps_red_blue ? std::array<std::int64_t, 4>{2, 1, 0, 3}[c] : c;
        for (std::int64_t y = 0; y < height; ++y) {
            for (std::int64_t x = 0; x < width; ++x) {
                const std::int64_t row = y - place.top, column = x - place.left;
                float level = params.pad;
                if (row >= 0 && row < place.height && column >= 0 && column < place.width) {
                    const auto at = [](std::int64_t i, std::int64_t size, std::int64_t resized) {
                        const double step = static_cast<double>(size) / static_cast<double>(resized);
                        const double all = (static_cast<double>(i) + .5) * step - .5;
                        return std::min(std::max(all, 0.0), static_cast<double>(size - 1));
                    };
                    const double v = at(row, in.shape[0], place.height);
                    const double u = at(column, in.shape[1], place.width);
                    const auto y0 = static_cast<std::int64_t>(v), x0 = static_cast<std::int64_t>(u);
                    const std::int64_t y1 = std::min(y0 + 1, in.shape[0] - 1);
                    const std::int64_t x1 = std::min(x0 + 1, in.shape[1] - 1);
                    const auto wx = static_cast<float>(u - std::floor(u));
                    const auto wy = static_cast<float>(v - std::floor(v));
                    const float a = in(y0, x0, from), b = in(y0, x1, from);
                    const float d = in(y1, x0, from), e = in(y1, x1, from);
                    const float top = a + wx * (b - a), bottom = d + wx * (e - d);
                    level = top + wy * (bottom - top);
                }
                const PixelScale& pixels = params.pixels;
                const auto k = static_cast<std::size_t>(c);
                out.push_back((level / pixels.full - pixels.mean[k]) / pixels.deviation[k]);
            }
        }
    }
    return out;
}

}  // namespace

TEST_CASE("letterbox: where the image goes") {
    const LetterboxPlace wide = letterbox_place(1080, 1920, 640, 640, true);
    CHECK(wide.scale == doctest::Approx(1.0 / 3).epsilon(1e-15));
    CHECK(wide.width == 640);
    CHECK(wide.height == 360);
    CHECK(wide.left == 0);
    CHECK(wide.top == 140);
    // An odd rest: less of it comes first.
    CHECK(letterbox_place(427, 640, 640, 640, true).top == 106);
    CHECK(letterbox_place(640, 427, 640, 640, true).left == 106);
    // Sizes are rounded half to even: 2.5 and 3.5.
    CHECK(letterbox_place(5, 10, 100, 5, true).height == 2);
    CHECK(letterbox_place(7, 10, 100, 5, true).height == 4);
    const LetterboxPlace small = letterbox_place(10, 10, 33, 33, false);
    CHECK(small.scale == 1);
    CHECK(small.width == 10);
    CHECK(small.left == 11);
    CHECK(letterbox_place(10, 10, 33, 33, true).width == 33);
    // A line of pixels stays one.
    const LetterboxPlace line = letterbox_place(1, 4096, 640, 640, true);
    CHECK(line.height == 1);
    CHECK(line.top == 319);
    CHECK(line.scale == .15625);
}

TEST_CASE("letterbox: numbers worked out by hand") {
    on_every_backend([](Backend& device) {
        // Twice as wide: columns look at -.25, .25, .75 and 1.25.
        CHECK(boxed(device, image_of({0, 100}, 1, 2, 1), 2, 4, plain_levels()) ==
              std::vector<float>{0, 25, 75, 100, 0, 25, 75, 100});
        // Half as wide: each is the mean of four.
        CHECK(boxed(device, image_of({0, 10, 20, 30, 40, 50, 60, 70}, 2, 4, 1), 1, 2, plain_levels()) ==
              std::vector<float>{25, 45});
        // One pixel fills a square; the border is the pad's level.
        LetterboxParams params = plain_levels();
        params.pad = 9;
        CHECK(boxed(device, image_of({7}, 1, 1, 1), 2, 4, params) ==
              std::vector<float>{9, 7, 7, 9, 9, 7, 7, 9});
        params.enlarges = false;
        CHECK(boxed(device, image_of({7}, 1, 1, 1), 2, 4, params) ==
              std::vector<float>{9, 7, 9, 9, 9, 9, 9, 9});
        // Three channels: blue comes last.
        params.swaps_red_blue = true;
        CHECK(boxed(device, image_of({1, 2, 3}, 1, 1, 3), 1, 2, params) ==
              std::vector<float>{3, 9, 2, 9, 1, 9});
        // (255 / 255 - .5) / .25 and (0 / 255 - .5) / .25; the pad goes the same way.
        LetterboxParams scaled;
        scaled.pad = 0;
        scaled.pixels.mean = {.5F, 0, 0, 0};
        scaled.pixels.deviation = {.25F, 1, 1, 1};
        CHECK(boxed(device, image_of({255}, 1, 1, 1), 1, 2, scaled) == std::vector<float>{2, -2});
    });
}

TEST_CASE("letterbox: the definition to the bit, whatever the shape and the strides") {
    struct {
        std::int64_t in_height, in_width, channels, height, width;
    } const cases[] = {{37, 53, 3, 64, 64},  {53, 37, 1, 20, 31}, {1, 1, 4, 5, 7},     {1, 4096, 1, 16, 64},
                       {4096, 1, 3, 64, 16}, {16, 16, 2, 16, 16}, {30, 40, 4, 9, 200}, {64, 48, 3, 1, 1}};
    for (const auto& each : cases) {
        CAPTURE(each.in_height);
        CAPTURE(each.in_width);
        CAPTURE(each.channels);
        // The image is a crop, every second row of it and flipped, of pixels that have one byte more.
        const std::int64_t h = 2 * each.in_height + 3, w = each.in_width + 4, c = each.channels + 1;
        const std::vector<std::uint8_t> levels = some_levels(static_cast<std::size_t>(h * w * c), 5);
        Image in = sliced(image_of(levels, h, w, c), 0, h - 2, each.in_height, -2);
        in = sliced(sliced(in, 1, 3, each.in_width), 2, 1, each.channels);
        LetterboxParams params;
        params.pixels.mean = {.485F, .456F, .406F, .1F};
        params.pixels.deviation = {.229F, .224F, .225F, -2};
        params.swaps_red_blue = each.channels >= 3;
        const std::vector<float> expected = by_definition(in, each.height, each.width, params);
        on_every_backend([&](Backend& device) {
            CHECK(has_same_bits(boxed(device, in, each.height, each.width, params), expected));
            // The output lies interleaved in a larger array.
            std::vector<float> wide(static_cast<std::size_t>(each.height * each.width * c), 4);
            Planes out{wide.data() + 1, {each.channels, each.height, each.width}, {1, each.width * c, c}};
            letterbox(device, in, out, params);
            std::vector<float> storage;
            const float* taken = packed<float, 3>(out, storage);
            CHECK(has_same_bits({taken, taken + expected.size()}, expected));
            for (std::size_t i = 0; i < wide.size(); i += static_cast<std::size_t>(c)) REQUIRE(wide[i] == 4);
        });
    }
}

TEST_CASE("letterbox: what does not fit is refused") {
    on_every_backend([](Backend& device) {
        const std::vector<std::uint8_t> levels(60);
        std::vector<float> room(48);
        const Image in = image_of(levels, 4, 5, 3);
        const Planes out = contiguous_view(room.data(), {3, 4, 4});
        const auto refuses = [&](const Image& from, const Planes& to, const LetterboxParams& params) {
            CHECK_THROWS_AS(letterbox(device, from, to, params), std::invalid_argument);
        };
        refuses(image_of(levels, 4, 5, 2), out, {});
        refuses(image_of(levels, 0, 5, 3), out, {});
        refuses(image_of(levels, 4, 0, 3), out, {});
        refuses(image_of(levels, 1, 5, 5), {room.data(), {5, 2, 2}, {4, 2, 1}}, {});
        refuses(in, sliced(out, 1, 0, 0), {});
        refuses(in, {room.data(), {3, 4, 4}, {16, 4, 0}}, {});
        refuses({levels.data(), {65'537, 1, 3}, {0, 0, 1}}, out, {});
        refuses({levels.data(), {std::int64_t{1} << 40, std::int64_t{1} << 40, 3}, {0, 0, 1}}, out, {});
        refuses({nullptr, {4, 5, 3}, {15, 3, 1}}, out, {});
        LetterboxParams params;
        params.swaps_red_blue = true;
        refuses(image_of(levels, 4, 5, 1), sliced(out, 0, 0, 1), params);
        params = {};
        params.pixels.deviation[2] = 0;
        refuses(in, out, params);
        params = {};
        params.pixels.full = std::numeric_limits<float>::quiet_NaN();
        refuses(in, out, params);
        params = {};
        params.pixels.mean[1] = std::numeric_limits<float>::infinity();
        refuses(in, out, params);
    });
}

TEST_CASE("letterbox: boxes go back to the image") {
    const LetterboxPlace place = letterbox_place(1080, 1920, 640, 640, true);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    std::vector<float> boxes = {10, 150, 20, 160, -5, 0, 700, 640, nan, -infinity, infinity, nan};
    unletterbox(contiguous_view(boxes.data(), {3, 4}), place);
    CHECK(std::vector<float>(boxes.begin(), boxes.begin() + 4) == std::vector<float>{30, 30, 60, 60});
    CHECK(std::vector<float>(boxes.begin() + 4, boxes.begin() + 8) == std::vector<float>{0, 0, 1920, 1080});
    CHECK(std::isnan(boxes[8]));
    CHECK(boxes[9] == 0);
    CHECK(boxes[10] == 1920);
    CHECK(std::isnan(boxes[11]));
    // Columns of a detector's output, [4, n].
    std::vector<float> turned = {10, 40, 150, 160, 20, 50, 160, 170};
    unletterbox({turned.data(), {2, 4}, {1, 2}}, place);
    CHECK(turned == std::vector<float>{30, 120, 30, 60, 60, 150, 60, 90});
    CHECK_THROWS_AS(unletterbox({boxes.data(), {4, 3}, {3, 1}}, place), std::invalid_argument);
    CHECK_THROWS_AS(unletterbox({boxes.data(), {3, 4}, {4, 1}}, LetterboxPlace{}), std::invalid_argument);
    unletterbox({nullptr, {0, 4}, {4, 1}}, place);
}

}  // namespace nightshift::tests
