#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/coreset.h"
#include "kernels/rows.h"

namespace nightshift::tests {

inline kernels::Rows<double> rows_of(const std::vector<double>& values, std::size_t columns) {
    return {values.data(), static_cast<std::int64_t>(values.size() / columns),
            static_cast<std::int64_t>(columns)};
}

/// A squared distance with the bits that coresets promise: column j goes to sum j % 4.
inline double coreset_distance(const double* a, const double* b, std::int64_t columns) {
    double sums[4] = {};
    for (std::int64_t j = 0; j < columns; ++j) sums[j % 4] += (a[j] - b[j]) * (a[j] - b[j]);
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// The definition: every row at every pick.
inline kernels::Coreset plain_coreset(kernels::Rows<double> data, std::int64_t count, std::int64_t start) {
    std::vector<double> nearest(static_cast<std::size_t>(data.rows), std::numeric_limits<double>::infinity());
    std::vector<char> is_picked(nearest.size(), 0);
    kernels::Coreset out;
    out.picks.push_back(start);
    out.distances.push_back(0);
    while (true) {
        is_picked[static_cast<std::size_t>(out.picks.back())] = 1;
        std::int64_t best = -1;
        for (std::int64_t r = 0; r < data.rows; ++r) {
            double& own = nearest[static_cast<std::size_t>(r)];
            own = std::min(own, coreset_distance(data.row(r), data.row(out.picks.back()), data.columns));
            if (is_picked[static_cast<std::size_t>(r)] == 0 &&
                (best < 0 || own > nearest[static_cast<std::size_t>(best)]))
                best = r;
        }
        if (static_cast<std::int64_t>(out.picks.size()) == count) break;
        out.picks.push_back(best);
        out.distances.push_back(std::sqrt(nearest[static_cast<std::size_t>(best)]));
    }
    for (const double squared : nearest) out.remaining.push_back(std::sqrt(squared));
    return out;
}

}  // namespace nightshift::tests
