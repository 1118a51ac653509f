#include "kernels/cpu/knn_bank.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace nightshift::kernels {

template <typename T>
KnnBank pack_bank(Rows<T> bank, int panel_rows) {
    KnnBank out;
    KnnCentre centre = find_centre(bank);
    if (!centre.is_usable) return out;
    const std::int64_t rows = panel_rows;
    out.panels = (bank.rows + rows - 1) / rows;
    out.values.assign(static_cast<std::size_t>(out.panels * rows * bank.columns), 0);
    out.low_norms.assign(static_cast<std::size_t>(out.panels * rows), std::numeric_limits<float>::infinity());
    const auto d = static_cast<double>(bank.columns);
    out.unit = (d + 16) * 0x1p-24;
    // What is lost below the smallest normal float has no relative bound.
    out.tiny = (d + 16) * 0x1p-147;
    std::vector<double> centred(centre.at.size());
    double spread = 0;
    for (std::int64_t i = 0; i < bank.rows; ++i) {
        const double norm = centred_row(bank.row(i), centre, centred.data());
        float* to = out.values.data() + (i / rows * bank.columns) * rows + i % rows;
        for (const double value : centred) {
            *to = static_cast<float>(value);
            to += rows;
        }
        out.low_norms[static_cast<std::size_t>(i)] = static_cast<float>(norm - out.unit * norm);
        spread = std::max(spread, norm);
    }
    out.is_usable = centre.holds(spread);
    out.centre = std::move(centre.at);
    return out;
}

template KnnBank pack_bank(Rows<float>, int);
template KnnBank pack_bank(Rows<double>, int);

}  // namespace nightshift::kernels
