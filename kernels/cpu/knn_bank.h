#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/knn_centre.h"
#include "kernels/rows.h"

namespace nightshift::kernels {

/// A bank as a filter of single precision sees it: centred on its mean, in panels of `panel_rows`.
///
/// What such a filter computes of a squared distance |q|^2 + |b|^2 - 2 q.b is off by at most
/// unit (|q|^2 + |b|^2) + tiny. Casting the two factors takes 2 u of |q||b|, d sums take d u, both times 2,
/// and |q||b| <= (|q|^2 + |b|^2) / 2; norms, the last sum and limits are each rounded to single precision,
/// in all 9 u of |q|^2 + |b|^2. So d + 11 would do for unit / u (u = 2^-24); d + 16 is taken.
struct KnnBank {
    bool is_usable = false;  ///< else only the plain loop is exact
    std::int64_t panels = 0;
    std::vector<double> centre;
    std::vector<float> values;     ///< [panels, columns, panel_rows]
    std::vector<float> low_norms;  ///< |b|^2 less its part of the error; infinite beyond the last row
    double unit = 0, tiny = 0;
};

template <typename T>
KnnBank pack_bank(Rows<T> bank, int panel_rows);

}  // namespace nightshift::kernels
