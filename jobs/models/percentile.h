#pragma once

#include <span>

namespace nightshift::jobs {

/// Percentile 0..100 by linear interpolation between order statistics (NumPy's default). NaN for no values.
double percentile(std::span<const double> values, double percent);

}  // namespace nightshift::jobs
