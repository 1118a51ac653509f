#include "kernels/cpu/knn_bank.h"

#include <algorithm>
#include <cmath>

namespace nightshift::kernels {

namespace {

/// Above this share of offset to spread, rounding of the centring itself could exceed the bound.
constexpr double kCentringLimit = 1e6;
/// With more columns the error's bound is no longer small.
constexpr std::int64_t kColumnsMax = 1 << 20;

/// Mean of every column; false where a value is too large for the filter, or no number.
template <typename T>
bool find_centre(Rows<T> bank, std::vector<double>& centre, double& largest) {
    const auto m = static_cast<double>(bank.rows);
    centre.assign(static_cast<std::size_t>(bank.columns), 0.0);
    for (std::int64_t i = 0; i < bank.rows; ++i) {
        const T* row = bank.row(i);
        for (std::int64_t j = 0; j < bank.columns; ++j) {
            const auto value = static_cast<double>(row[j]);
            if (!(std::abs(value) < kKnnFilterMax)) return false;
            centre[static_cast<std::size_t>(j)] += value / m;
            largest = std::max(largest, std::abs(value));
        }
    }
    return true;
}

}  // namespace

template <typename T>
double pack_query(const T* query, const KnnBank& bank, std::int64_t stride, float* to) {
    constexpr std::int64_t kPart = 64, kSums = 4;  // one sum alone would wait for itself in every column
    double norms[kSums] = {};
    const auto columns = static_cast<std::int64_t>(bank.centre.size());
    const double* centre = bank.centre.data();
    for (std::int64_t first = 0; first < columns; first += kPart) {
        double part[kPart];
        const std::int64_t count = std::min(kPart, columns - first);
        for (std::int64_t j = 0; j < count; ++j)
            part[j] = static_cast<double>(query[first + j]) - centre[first + j];
        for (std::int64_t j = 0; j < count; ++j) to[(first + j) * stride] = static_cast<float>(part[j]);
        std::fill(part + count, part + kPart, 0.0);
        for (std::int64_t j = 0; j < kPart; j += kSums) {
            for (std::int64_t s = 0; s < kSums; ++s) norms[s] += part[j + s] * part[j + s];
        }
    }
    return (norms[0] + norms[1]) + (norms[2] + norms[3]);
}

template <typename T>
KnnBank pack_bank(Rows<T> bank, int panel_rows) {
    KnnBank out;
    double largest = 0, spread = 0;
    if (bank.columns > kColumnsMax || !find_centre(bank, out.centre, largest)) return out;
    const std::int64_t rows = panel_rows;
    out.panels = (bank.rows + rows - 1) / rows;
    out.values.assign(static_cast<std::size_t>(out.panels * rows * bank.columns), 0);
    out.low_norms.assign(static_cast<std::size_t>(out.panels * rows), std::numeric_limits<float>::infinity());
    out.widths.resize(out.low_norms.size());
    const auto d = static_cast<double>(bank.columns);
    out.unit = (d + 16) * 0x1p-24;
    // What is lost below the smallest normal float has no relative bound.
    out.tiny = (d + 16) * 0x1p-147;
    for (std::int64_t i = 0; i < bank.rows; ++i) {
        float* to = out.values.data() + (i / rows * bank.columns) * rows + i % rows;
        const double norm = pack_query(bank.row(i), out, rows, to);
        out.widths[static_cast<std::size_t>(i)] = static_cast<float>(2 * (out.unit * norm + out.tiny));
        out.low_norms[static_cast<std::size_t>(i)] = static_cast<float>(norm - out.unit * norm);
        spread = std::max(spread, norm);
    }
    out.is_usable = largest <= kCentringLimit * std::sqrt(spread);
    return out;
}

template <typename T>
KnnBank pack_bank(Rows<T> bank, const KnnTile& tile) {
    KnnBank out = pack_bank(bank, tile.rows);
    out.tile = tile;
    return out;
}

template KnnBank pack_bank(Rows<float>, int);
template KnnBank pack_bank(Rows<double>, int);
template KnnBank pack_bank(Rows<float>, const KnnTile&);
template KnnBank pack_bank(Rows<double>, const KnnTile&);
template double pack_query(const float*, const KnnBank&, std::int64_t, float*);
template double pack_query(const double*, const KnnBank&, std::int64_t, float*);

}  // namespace nightshift::kernels
