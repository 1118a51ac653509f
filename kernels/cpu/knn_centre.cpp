#include "kernels/cpu/knn_centre.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace nightshift::kernels {

namespace {

/// Largest share of offset to spread.
constexpr double kOffsetMax = 1e6;
/// With more columns the errors' bounds are no longer small.
constexpr std::int64_t kColumnsMax = 1 << 20;

}  // namespace

bool KnnCentre::holds(double spread) const {
    return largest <= kOffsetMax * std::sqrt(spread);
}

template <typename T>
KnnCentre find_centre(Rows<T> bank) {
    KnnCentre centre;
    if (bank.columns > kColumnsMax) return centre;
    const double share = 1 / static_cast<double>(bank.rows);
    const auto columns = static_cast<std::size_t>(bank.columns);
    std::vector<double> largest(columns, 0.0);
    centre.at.assign(columns, 0.0);
    double* const at = centre.at.data();
    double* const most = largest.data();
    for (std::int64_t i = 0; i < bank.rows; ++i) {
        const T* row = bank.row(i);
        for (std::size_t j = 0; j < columns; ++j) {
            const double value = static_cast<double>(row[j]), size = std::abs(value);
            at[j] += value * share;
            most[j] = size > most[j] ? size : most[j];
        }
    }
    centre.largest = *std::max_element(largest.begin(), largest.end());
    // What is no number, or infinite, is one in its column's sum, too.
    const bool is_finite =
        std::all_of(centre.at.begin(), centre.at.end(), [](double c) { return std::isfinite(c); });
    centre.is_usable = is_finite && centre.largest < kKnnFilterMax;
    return centre;
}

template <typename T>
double centred_row(const T* row, const KnnCentre& centre, double* out) {
    constexpr std::size_t kSums = 4;  // one sum alone would wait for itself in every column
    double norms[kSums] = {};
    const std::size_t columns = centre.at.size(), whole = columns / kSums * kSums;
    const double* at = centre.at.data();
    for (std::size_t j = 0; j < columns; ++j) out[j] = static_cast<double>(row[j]) - at[j];
    for (std::size_t j = 0; j < whole; j += kSums) {
        for (std::size_t s = 0; s < kSums; ++s) norms[s] += out[j + s] * out[j + s];
    }
    for (std::size_t j = whole; j < columns; ++j) norms[j - whole] += out[j] * out[j];
    return (norms[0] + norms[1]) + (norms[2] + norms[3]);
}

template KnnCentre find_centre(Rows<float>);
template KnnCentre find_centre(Rows<double>);
template double centred_row(const float*, const KnnCentre&, double*);
template double centred_row(const double*, const KnnCentre&, double*);

}  // namespace nightshift::kernels
