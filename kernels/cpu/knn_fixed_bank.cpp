#include "kernels/cpu/knn_fixed_bank.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace nightshift::kernels {

namespace {

constexpr double kLengthMax = 46340;  ///< its square fits 31 bits
constexpr double kValueMax = 32767;
constexpr double kLengthLeast = 32000;
constexpr double kShort = 1e-15;
/// Of a squared length; more than any row of a bank has whose values are below kKnnFilterMax.
constexpr double kSquaredMax = 1e37;
/// Added to a double, leaves the nearest whole number in its low bits.
constexpr double kRounding = 0x1.8p52;

/// The largest length of a row of so many columns before its values are rounded.
double length_max(std::size_t columns) {
    return kLengthMax - std::sqrt(static_cast<double>(columns)) / 2 - 1;
}

std::uint32_t low_half(double value) {
    return static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(value) & 0xffff);
}

/// The largest absolute value, or kShort.
double largest_of(const double* values, std::size_t count) {
    constexpr std::size_t kBeside = 4;  // one maximum alone would wait for itself
    double largest[kBeside] = {kShort, kShort, kShort, kShort};
    const std::size_t whole = count / kBeside * kBeside;
    for (std::size_t j = 0; j < whole; j += kBeside) {
        for (std::size_t s = 0; s < kBeside; ++s) {
            const double size = std::abs(values[j + s]);
            largest[s] = size > largest[s] ? size : largest[s];
        }
    }
    for (std::size_t j = whole; j < count; ++j) largest[0] = std::max(largest[0], std::abs(values[j]));
    return std::max(std::max(largest[0], largest[1]), std::max(largest[2], largest[3]));
}

}  // namespace

template <typename T>
KnnFixedRow pack_fixed_row(const T* row, const KnnCentre& centre, std::int64_t stride, double* centred,
                           KnnPair* to) {
    const std::size_t columns = centre.at.size();
    const double norm = centred_row(row, centre, centred);
    const bool fits = norm < kSquaredMax;
    if (!fits) std::fill_n(centred, columns, 0.0);
    const double largest = largest_of(centred, columns);
    const double length = std::max(fits ? std::sqrt(norm) : 0, kShort);
    const double scale = std::min(length_max(columns) / length, kValueMax / largest);
    for (std::size_t j = 0; j < columns; ++j) centred[j] = centred[j] * scale + kRounding;
    centred[columns] = kRounding;
    for (std::size_t j = 0; j < columns; j += 2) {
        *to = static_cast<KnnPair>(low_half(centred[j]) | low_half(centred[j + 1]) << 16);
        to += stride;
    }
    return {norm, static_cast<float>(1 / scale)};
}

template <typename T>
KnnFixedBank pack_fixed_bank(Rows<T> bank, const KnnTile& tile) {
    KnnFixedBank out;
    out.tile = tile;
    out.centre = find_centre(bank);
    if (!out.centre.is_usable) return out;
    const std::int64_t rows = tile.rows;
    out.panels = (bank.rows + rows - 1) / rows;
    out.pairs = (bank.columns + 1) / 2;
    const auto places = static_cast<std::size_t>(out.panels * rows);
    out.values.assign(places * static_cast<std::size_t>(out.pairs), 0);
    out.factors.assign(places, 0.0F);
    out.low_norms.assign(places, std::numeric_limits<float>::infinity());
    out.widths.assign(places, 0.0F);
    const double moved = std::sqrt(static_cast<double>(bank.columns)) / 2 / kLengthLeast;
    out.unit = 2 * moved + moved * moved + 16 * 0x1p-24;
    out.tiny = 2 * out.unit * kShort * kShort;
    std::vector<double> centred(out.centre.at.size() + 1);
    for (std::int64_t i = 0; i < bank.rows; ++i) {
        KnnPair* to = out.values.data() + (i / rows * out.pairs) * rows + i % rows;
        const auto at = static_cast<std::size_t>(i);
        const KnnFixedRow packed = pack_fixed_row(bank.row(i), out.centre, rows, centred.data(), to);
        out.factors[at] = -2 * packed.factor;
        out.widths[at] = static_cast<float>(2 * (out.unit * packed.norm + out.tiny));
        out.low_norms[at] = static_cast<float>(packed.norm - out.unit * packed.norm);
        out.spread = std::max(out.spread, packed.norm);
    }
    out.is_usable = out.centre.holds(out.spread);
    return out;
}

template KnnFixedBank pack_fixed_bank(Rows<float>, const KnnTile&);
template KnnFixedBank pack_fixed_bank(Rows<double>, const KnnTile&);
template KnnFixedRow pack_fixed_row(const float*, const KnnCentre&, std::int64_t, double*, KnnPair*);
template KnnFixedRow pack_fixed_row(const double*, const KnnCentre&, std::int64_t, double*, KnnPair*);

}  // namespace nightshift::kernels
