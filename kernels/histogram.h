#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/backend.h"
#include "kernels/philox.h"
#include "kernels/view.h"

namespace nightshift::kernels {

/// Counts of each level, 0 to 255.
using ByteCounts = std::array<std::int64_t, 256>;

/// in [h, w] u8 of any strides, such as one channel of an image. Counts are 64 bits: no size overflows them.
/// Equal on CPU and GPU. Any thread.
/// Throws std::invalid_argument on views that do not fit, DeviceError or OverBudget on the GPU.
ByteCounts byte_histogram_cpu(const TensorView<const std::uint8_t, 2>& in);
ByteCounts byte_histogram_cuda(Backend& backend, const TensorView<const std::uint8_t, 2>& in);
ByteCounts byte_histogram(Backend& backend, const TensorView<const std::uint8_t, 2>& in);

/// Most bins of a histogram.
inline constexpr int kBinsMax = 1 << 16;

/// Bins of equal width over [low, high].
struct BinRange {
    float low = 0, high = 1;
    int bins = 10;
};

struct ValueCounts {
    std::vector<float> edges;           ///< [bins + 1]
    std::vector<std::int64_t> counts;   ///< [bins]
    std::int64_t below = 0, above = 0;  ///< outside the range, infinities among them
    std::int64_t not_numbers = 0;

    bool operator==(const ValueCounts&) const = default;
};

/// Edges low + i * ((high - low) / bins), computed in double and rounded to float; the last is high itself.
/// Throws std::invalid_argument where low < high does not hold or either is not finite, bins are not
/// 1..kBinsMax, or floats are too coarse for so many edges.
std::vector<float> bin_edges(const BinRange& range);

/// How a value's bin is guessed: bins_per_unit is bins / (high - low).
struct BinGuess {
    float low, high;
    double bins_per_unit;
    std::int32_t bins;
};

BinGuess bin_guess(const BinRange& range);

/// For values in [low, high]. In double, so it is off by one at the most: edges are rounded to float.
NIGHTSHIFT_HD inline std::int32_t guessed_bin(float value, const BinGuess& guess) {
    const auto bin = static_cast<std::int32_t>((static_cast<double>(value) - static_cast<double>(guess.low)) *
                                               guess.bins_per_unit);
    return bin < guess.bins ? bin : guess.bins - 1;
}

/// The bin itself: edges[i] <= value < edges[i + 1], the last one with its upper edge.
NIGHTSHIFT_HD inline std::int32_t settled_bin(float value, const float* edges, std::int32_t bins,
                                              std::int32_t guess) {
    if (value < edges[guess]) return guess - 1;
    return guess + 1 < bins && value >= edges[guess + 1] ? guess + 1 : guess;
}

/// in [rows, columns] f32 of any strides. NumPy's rule for float32 values (numpy.histogram with range=), but
/// what lies outside is counted apart. Equal on CPU and GPU. Any thread. Throws as bin_edges() and above.
ValueCounts value_histogram_cpu(const TensorView<const float, 2>& in, const BinRange& range);
ValueCounts value_histogram_cuda(Backend& backend, const TensorView<const float, 2>& in,
                                 const BinRange& range);
ValueCounts value_histogram(Backend& backend, const TensorView<const float, 2>& in, const BinRange& range);

}  // namespace nightshift::kernels
