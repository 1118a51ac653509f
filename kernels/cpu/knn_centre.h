#pragma once

#include <vector>

#include "kernels/rows.h"

namespace nightshift::kernels {

/// Squares of larger values do not fit a float.
inline constexpr double kKnnFilterMax = 1e15;

/// The mean of a bank, which filters take from every row first.
struct KnnCentre {
    bool is_usable =
        false;  ///< false: a value is too large or no number, or columns are too many for a bound
    std::vector<double> at;
    double largest = 0;  ///< of the bank's values, before centring

    /// False where rounding of the centring itself could exceed a bound; `spread` is the largest squared
    /// length of a centred row.
    bool holds(double spread) const;
};

template <typename T>
KnnCentre find_centre(Rows<T> bank);

/// `row` less the centre, to `out` [columns]. Gives its squared length.
template <typename T>
double centred_row(const T* row, const KnnCentre& centre, double* out);

}  // namespace nightshift::kernels
