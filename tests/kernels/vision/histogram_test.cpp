#include "kernels/histogram.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "tests/kernels/every_backend.h"
#include "tests/kernels/vision/vision_data.h"

namespace nightshift::tests {

using namespace nightshift::kernels;

namespace {

using Bytes = TensorView<const std::uint8_t, 2>;
using Values = TensorView<const float, 2>;

Values row_of(const std::vector<float>& values) {
    const auto count = static_cast<std::int64_t>(values.size());
    return contiguous_view(values.data(), {1, count});
}

/// The rule, edge after edge.
ValueCounts by_definition(const Values& in, const BinRange& range) {
    ValueCounts out;
    out.edges = bin_edges(range);
    out.counts.resize(static_cast<std::size_t>(range.bins));
    for (std::int64_t y = 0; y < in.shape[0]; ++y) {
        for (std::int64_t x = 0; x < in.shape[1]; ++x) {
            const float value = in(y, x);
            if (std::isnan(value)) {
                ++out.not_numbers;
            } else if (value < range.low || value > range.high) {
                ++(value < range.low ? out.below : out.above);
            } else {
                std::size_t bin = 0;
                while (bin + 1 < out.counts.size() && value >= out.edges[bin + 1]) ++bin;
                ++out.counts[bin];
            }
        }
    }
    return out;
}

}  // namespace

TEST_CASE("histogram: levels of a channel, of every second row, of nothing") {
    on_every_backend([](Backend& device) {
        // Two rows of three pixels of two channels.
        const std::vector<std::uint8_t> levels = {0, 9, 255, 9, 0, 9, 7, 1, 255, 2, 8, 3};
        const TensorView<const std::uint8_t, 3> image{levels.data(), {2, 3, 2}, {6, 2, 1}};
        const ByteCounts first = byte_histogram(device, picked(image, 2, 0));
        CHECK(first[0] == 2);
        CHECK(first[7] == 1);
        CHECK(first[8] == 1);
        CHECK(first[255] == 2);
        CHECK(std::accumulate(first.begin(), first.end(), std::int64_t{0}) == 6);
        const ByteCounts second = byte_histogram(device, picked(sliced(image, 0, 1, 1), 2, 1));
        CHECK(second[1] == 1);
        CHECK(second[9] == 0);
        for (const Bytes& empty : {Bytes{levels.data(), {0, 5}, {5, 1}}, Bytes{nullptr, {5, 0}, {1, 1}}}) {
            const ByteCounts none = byte_histogram(device, empty);
            CHECK(std::accumulate(none.begin(), none.end(), std::int64_t{0}) == 0);
        }
        // One level seen over and over is more than one level of a 16-bit count.
        const ByteCounts many = byte_histogram(device, Bytes{levels.data() + 2, {300, 300}, {0, 0}});
        CHECK(many[255] == 90'000);
        CHECK_THROWS_AS(byte_histogram(device, Bytes{nullptr, {5, 1}, {1, 1}}), std::invalid_argument);
        CHECK_THROWS_AS(byte_histogram(device, Bytes{levels.data(), {-1, 1}, {1, 1}}), std::invalid_argument);
        CHECK_THROWS_AS(byte_histogram(device, Bytes{levels.data(), {std::int64_t{1} << 60, 2}, {0, 0}}),
                        std::invalid_argument);
    });
}

TEST_CASE("histogram: every level of crops of many sizes is counted once") {
    const std::vector<std::uint8_t> levels = some_levels(3 * 4100, 21);
    const Bytes all{levels.data(), {3, 4100}, {4100, 1}};
    for (const std::int64_t width : {1, 2, 3, 5, 64, 1000, 4096}) {
        CAPTURE(width);
        for (const std::int64_t step : {std::int64_t{1}, (4100 - 2) / width}) {
            const Bytes crop = sliced(sliced(all, 1, 1, width, step), 0, 0, 2, 2);
            ByteCounts expected{};
            for (std::int64_t y = 0; y < 2; ++y) {
                for (std::int64_t x = 0; x < width; ++x) ++expected[crop(y, x)];
            }
            on_every_backend([&](Backend& device) { CHECK(byte_histogram(device, crop) == expected); });
        }
    }
}

TEST_CASE("histogram: NumPy's counts of float32 values") {
    // numpy.histogram(v, bins, range) of v = numpy.arange(n, dtype=float32) * float32(step) + float32(start)
    struct {
        int count;
        float step, start;
        BinRange range;
        std::vector<std::int64_t> counts;
        std::int64_t below, above;
    } const cases[] = {{17, .1F, -.3F, {0, 1, 10}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 2}, 3, 3},
                       {50, .07F, -.7F, {-.7F, 1.4F, 7}, {5, 4, 4, 5, 4, 4, 5}, 0, 19}};
    for (const auto& each : cases) {
        std::vector<float> values;
        for (int i = 0; i < each.count; ++i)
            values.push_back(static_cast<float>(each.count == 17 ? i - 3 : i) * each.step +
                             (each.count == 17 ? 0 : each.start));
        on_every_backend([&](Backend& device) {
            const ValueCounts out = value_histogram(device, row_of(values), each.range);
            CHECK(out.counts == each.counts);
            CHECK(out.below == each.below);
            CHECK(out.above == each.above);
            CHECK(out.not_numbers == 0);
        });
    }
    CHECK(bin_edges({0, 1, 4}) == std::vector<float>{0, .25F, .5F, .75F, 1});
}

TEST_CASE("histogram: edges, neighbours of edges, NaN and infinity fall where the rule says") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    on_every_backend([&](Backend& device) {
        const ValueCounts few = value_histogram(
            device, row_of({0, .25F, .5F, 1, 1, nan, -infinity, infinity, -.001F, 1.001F, -0.0F}),
            BinRange{0, 1, 2});
        CHECK(few.counts == std::vector<std::int64_t>{3, 3});
        CHECK(few.below == 2);
        CHECK(few.above == 2);
        CHECK(few.not_numbers == 1);
    });
    const BinRange ranges[] = {
        {0, 1, 1},      {0, 1, 3},          {-.1F, .7F, 49}, {1e6F, 1.0001e6F, 100}, {-3e38F, 3e38F, 1000},
        {0, 1e-40F, 7}, {.3F, 12.7F, 4097}, {0, 1, kBinsMax}};
    for (const BinRange& range : ranges) {
        CAPTURE(range.bins);
        CAPTURE(range.high);
        std::vector<float> values = {nan, infinity, -infinity};
        const std::vector<float> edges = bin_edges(range);
        const std::size_t step = std::max<std::size_t>(edges.size() / 200, 1);
        for (std::size_t i = 0; i < edges.size(); i += step) {
            values.push_back(edges[i]);
            values.push_back(std::nextafter(edges[i], infinity));
            values.push_back(std::nextafter(edges[i], -infinity));
        }
        for (const float value : some_values(300, 3))
            values.push_back(std::lerp(range.low, range.high, value));
        while (values.size() % 4 != 0) values.push_back(range.low);
        const auto columns = static_cast<std::int64_t>(values.size() / 4);
        const Values whole = contiguous_view(static_cast<const float*>(values.data()), {4, columns});
        const Values turned{values.data(), {columns, 2}, {1, 2 * columns}};
        const ValueCounts of_whole = by_definition(whole, range), of_turned = by_definition(turned, range);
        on_every_backend([&](Backend& device) {
            CHECK(value_histogram(device, whole, range) == of_whole);
            CHECK(value_histogram(device, turned, range) == of_turned);
        });
    }
}

TEST_CASE("histogram: ranges and views that make no sense are refused") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    const std::vector<float> values(4);
    const BinRange wrong[] = {{1, 1, 4},   {2, 1, 4}, {nan, 1, 4}, {0, infinity, 4},     {-infinity, 0, 4},
                              {0, nan, 4}, {0, 1, 0}, {0, 1, -1},  {0, 1, kBinsMax + 1}, {1, 1.0000005F, 8}};
    on_every_backend([&](Backend& device) {
        for (const BinRange& range : wrong)
            CHECK_THROWS_AS(value_histogram(device, row_of(values), range), std::invalid_argument);
        CHECK_THROWS_AS(value_histogram(device, Values{nullptr, {1, 4}, {4, 1}}, BinRange{}),
                        std::invalid_argument);
        CHECK_THROWS_AS(
            value_histogram(device, Values{values.data(), {std::int64_t{1} << 60, 2}, {0, 0}}, BinRange{}),
            std::invalid_argument);
        const ValueCounts none = value_histogram(device, Values{nullptr, {0, 4}, {4, 1}}, BinRange{0, 1, 2});
        CHECK(none.counts == std::vector<std::int64_t>{0, 0});
    });
}

}  // namespace nightshift::tests
