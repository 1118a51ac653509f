#include "jobs/models/percentile.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace nightshift::jobs {

double percentile(std::span<const double> values, double percent) {
    if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
    std::vector<double> sorted(values.begin(), values.end());
    std::sort(sorted.begin(), sorted.end());
    const double position = percent / 100.0 * static_cast<double>(sorted.size() - 1);
    const auto low = static_cast<std::size_t>(std::floor(position));
    const std::size_t high = std::min(low + 1, sorted.size() - 1);
    const double share = position - std::floor(position);
    const double step = sorted[high] - sorted[low];
    // NumPy interpolates from the nearer end, so that share 1 gives the upper value exactly.
    return share >= 0.5 ? sorted[high] - step * (1 - share) : sorted[low] + step * share;
}

}  // namespace nightshift::jobs
