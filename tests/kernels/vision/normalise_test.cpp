#include "kernels/normalise.h"

#include <doctest/doctest.h>

#include <limits>

#include "tests/kernels/every_backend.h"
#include "tests/kernels/vision/vision_data.h"

namespace nightshift::tests {

using namespace nightshift::kernels;

namespace {

const PixelScale kImageNet{255, {.485F, .456F, .406F, 0}, {.229F, .224F, .225F, 1}};

using Bytes = TensorView<const std::uint8_t, 3>;
using Values = TensorView<const float, 3>;
using Planes = TensorView<float, 3>;

std::vector<float> values_of(const Values& view) {
    std::vector<float> storage;
    const float* first = packed(view, storage);
    return {first, first + element_count(view)};
}

}  // namespace

TEST_CASE("normalise: numbers worked out by hand") {
    on_every_backend([](Backend& device) {
        const std::vector<std::uint8_t> levels = {0, 255, 51, 102};  // two pixels of two channels
        std::vector<float> out(4);
        const PixelScale scale{255, {.5F, 0, 0, 0}, {.25F, 2, 1, 1}};
        normalise(device, Bytes{levels.data(), {1, 2, 2}, {4, 2, 1}},
                  Planes{out.data(), {2, 1, 2}, {2, 2, 1}}, scale);
        CHECK(out[0] == -2);
        CHECK(out[1] == doctest::Approx(-1.2));  // (.2 - .5) / .25
        CHECK(out[2] == .5F);
        CHECK(out[3] == doctest::Approx(.2));

        std::vector<float> values = {0, 510, 51, -255};
        normalise(device, Values{values.data(), {2, 1, 2}, {2, 2, 1}},
                  Planes{values.data(), {2, 1, 2}, {2, 2, 1}}, scale);
        CHECK(values[0] == -2);
        CHECK(values[1] == 6);
        CHECK(values[2] == doctest::Approx(.1));
        CHECK(values[3] == -.5F);
    });
}

TEST_CASE("normalise: the formula to the bit, whatever the shape and the strides") {
    for (const std::int64_t height : {0, 1, 7, 4096}) {
        for (const std::int64_t width : {0, 1, 33}) {
            CAPTURE(height);
            CAPTURE(width);
            const auto size = static_cast<std::size_t>(height * width * 4);
            std::vector<std::uint8_t> levels = some_levels(size + 1, 8);
            std::vector<float> values = some_values(size + 1, 9, -300, 300);
            if (size > 0) values[3] = std::numeric_limits<float>::quiet_NaN();
            if (size > 7) values[7] = std::numeric_limits<float>::infinity();
            // Three channels of pixels of four, and the same seen channel by channel.
            const Bytes bytes{levels.data() + 1, {height, width, 3}, {width * 4, 4, 1}};
            const Values floats{values.data() + 1, {3, height, width}, {1, width * 4, 4}};
            std::vector<float> dense(values.begin(),
                                     values.begin() + static_cast<std::ptrdiff_t>(size / 4 * 3));
            const Values rows = contiguous_view(static_cast<const float*>(dense.data()), {3, height, width});
            std::vector<float> of_bytes, of_floats, of_rows;
            for (std::int64_t c = 0; c < 3; ++c) {
                const auto k = static_cast<std::size_t>(c);
                const auto one = [&](float level) {
                    return (level / 255 - kImageNet.mean[k]) / kImageNet.deviation[k];
                };
                for (std::int64_t y = 0; y < height; ++y) {
                    for (std::int64_t x = 0; x < width; ++x) {
                        of_bytes.push_back(one(bytes(y, x, c)));
                        of_floats.push_back(one(floats(c, y, x)));
                        of_rows.push_back(one(rows(c, y, x)));
                    }
                }
            }
            on_every_backend([&](Backend& device) {
                std::vector<float> out(size / 4 * 3);
                const Planes to = contiguous_view(out.data(), {3, height, width});
                normalise(device, bytes, to, kImageNet);
                CHECK(has_same_bits(out, of_bytes));
                normalise(device, floats, to, kImageNet);
                CHECK(has_same_bits(out, of_floats));
                normalise(device, rows, to, kImageNet);
                CHECK(has_same_bits(out, of_rows));
                // Into an array of pixels of four, whose fourth values stay; and in place.
                std::vector<float> wide(values), own(values);
                const Planes loose{wide.data() + 1, {3, height, width}, {1, width * 4, 4}};
                const Planes same{own.data() + 1, {3, height, width}, {1, width * 4, 4}};
                normalise(device, bytes, loose, kImageNet);
                CHECK(has_same_bits(values_of(loose), of_bytes));
                normalise(device, rows, loose, kImageNet);
                CHECK(has_same_bits(values_of(loose), of_rows));
                normalise(device, Values(same), same, kImageNet);
                CHECK(has_same_bits(values_of(same), of_floats));
                for (std::size_t i = 0; i + 4 <= size; i += 4) {
                    REQUIRE(has_same_bits({wide[i]}, {values[i]}));
                    REQUIRE(has_same_bits({own[i]}, {values[i]}));
                }
            });
        }
    }
}

TEST_CASE("normalise: what does not fit is refused") {
    on_every_backend([](Backend& device) {
        std::vector<std::uint8_t> levels(60);
        std::vector<float> values(60), room(60);
        const Bytes bytes{levels.data(), {4, 5, 3}, {15, 3, 1}};
        const Values floats{values.data(), {3, 4, 5}, {20, 5, 1}};
        const Planes out{room.data(), {3, 4, 5}, {20, 5, 1}};
        const auto refuses = [&](const auto& in, const Planes& to, const PixelScale& scale) {
            CHECK_THROWS_AS(normalise(device, in, to, scale), std::invalid_argument);
        };
        refuses(bytes, sliced(out, 1, 0, 3), {});
        refuses(floats, sliced(out, 2, 0, 3), {});
        refuses(floats, sliced(out, 0, 0, 2), {});
        refuses(Values{values.data(), {5, 2, 2}, {4, 2, 1}}, Planes{room.data(), {5, 2, 2}, {4, 2, 1}}, {});
        refuses(Bytes{levels.data(), {2, 2, 0}, {4, 2, 1}}, sliced(out, 0, 0, 0), {});
        refuses(floats, Planes{room.data(), {3, 4, 5}, {20, 0, 1}}, {});
        refuses(Values{values.data(), {3, std::int64_t{1} << 40, std::int64_t{1} << 40}, {0, 0, 0}}, out, {});
        PixelScale scale;
        scale.full = 0;
        refuses(bytes, out, scale);
        scale = {};
        scale.deviation[1] = std::numeric_limits<float>::quiet_NaN();
        refuses(floats, out, scale);
        // The fourth channel's are not looked at where there are three.
        scale = {};
        scale.deviation[3] = 0;
        normalise(device, bytes, out, scale);
    });
}

}  // namespace nightshift::tests
