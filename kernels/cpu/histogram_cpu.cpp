#include "kernels/histogram.h"

#include <cmath>

#include "kernels/cpu/each_variant.h"

namespace nightshift::kernels {

namespace {

/// Values whose bins are guessed together.
constexpr std::int64_t kTogether = 512;

#define NIGHTSHIFT_BODY "kernels/cpu/histogram.inc"
#include "kernels/cpu/each_variant.inc"

/// Tables beside each other: where neighbours have the same level, one count would wait for the one before.
constexpr std::size_t kTables = 4;
using Tables = std::array<ByteCounts, kTables>;

void count_levels(const std::uint8_t* row, std::int64_t stride, std::int64_t count, Tables& tables) {
    std::int64_t x = 0;
    for (; x + 4 <= count; x += 4) {
        ++tables[0][row[x * stride]];
        ++tables[1][row[(x + 1) * stride]];
        ++tables[2][row[(x + 2) * stride]];
        ++tables[3][row[(x + 3) * stride]];
    }
    for (; x < count; ++x) ++tables[0][row[x * stride]];
}

}  // namespace

ByteCounts byte_histogram_cpu(const TensorView<const std::uint8_t, 2>& in) {
    check_view("histogram: input", in);
    Tables tables{};
    const std::int64_t rows = element_count(in) == 0 ? 0 : in.shape[0];
    for (std::int64_t y = 0; y < rows; ++y) {
        const std::uint8_t* row = in.data + y * in.strides[0];
        if (in.strides[1] == 1)
            count_levels(row, 1, in.shape[1], tables);
        else
            count_levels(row, in.strides[1], in.shape[1], tables);
    }
    ByteCounts counts{};
    for (const ByteCounts& table : tables) {
        for (std::size_t level = 0; level < counts.size(); ++level) counts[level] += table[level];
    }
    return counts;
}

std::vector<float> bin_edges(const BinRange& range) {
    if (!std::isfinite(range.low) || !std::isfinite(range.high) || !(range.low < range.high))
        throw std::invalid_argument("histogram: a range needs finite ends, the lower one first");
    if (range.bins < 1 || range.bins > kBinsMax)
        throw std::invalid_argument("histogram: " + std::to_string(range.bins) + " bins; 1 to " +
                                    std::to_string(kBinsMax) + " are possible");
    const auto low = static_cast<double>(range.low);
    const double step = (static_cast<double>(range.high) - low) / range.bins;
    std::vector<float> edges;
    for (int i = 0; i < range.bins; ++i) edges.push_back(static_cast<float>(i * step + low));
    edges.push_back(range.high);
    for (std::size_t i = 1; i < edges.size(); ++i) {
        if (!(edges[i - 1] < edges[i]))
            throw std::invalid_argument("histogram: floats are too coarse for " + std::to_string(range.bins) +
                                        " bins in this range; ask for fewer");
    }
    return edges;
}

BinGuess bin_guess(const BinRange& range) {
    return {range.low, range.high, range.bins / (static_cast<double>(range.high) - range.low), range.bins};
}

ValueCounts value_histogram_cpu(const TensorView<const float, 2>& in, const BinRange& range) {
    check_view("histogram: input", in);
    ValueCounts out;
    out.edges = bin_edges(range);
    const auto guess_bins = NIGHTSHIFT_VARIANT_OF(guess_bins, cpu_variant());
    const BinGuess guess = bin_guess(range);
    std::vector<std::int64_t> counts(static_cast<std::size_t>(range.bins) + 3);
    float values[kTogether];
    std::int32_t bins[kTogether];
    const std::int64_t rows = element_count(in) == 0 ? 0 : in.shape[0];
    for (std::int64_t y = 0; y < rows; ++y) {
        for (std::int64_t first = 0; first < in.shape[1]; first += kTogether) {
            const std::int64_t count = std::min(kTogether, in.shape[1] - first);
            const float* from = in.data + y * in.strides[0] + first * in.strides[1];
            for (std::int64_t i = 0; in.strides[1] != 1 && i < count; ++i)
                values[i] = from[i * in.strides[1]];
            if (in.strides[1] != 1) from = values;
            guess_bins(from, count, guess, bins);
            for (std::int64_t i = 0; i < count; ++i) {
                std::int32_t bin = bins[i];
                if (bin < range.bins) bin = settled_bin(from[i], out.edges.data(), range.bins, bin);
                ++counts[static_cast<std::size_t>(bin)];
            }
        }
    }
    const auto outside = counts.begin() + range.bins;
    out.below = outside[0];
    out.above = outside[1];
    out.not_numbers = outside[2];
    out.counts.assign(counts.begin(), outside);
    return out;
}

}  // namespace nightshift::kernels
