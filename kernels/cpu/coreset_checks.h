#pragma once

#include <cstdint>

#include "kernels/rows.h"

namespace nightshift::kernels {

/// Rounding of a distance is far below this share, so rows that are skipped could not have changed.
inline constexpr double kCoresetSafety = 1.0 - 1e-9;
/// Columns summed between two looks at whether a row can still come closer. Column j goes to sum j % 4, and
/// the sums are added as (0 + 1) + (2 + 3): on every device, so that all pick alike.
inline constexpr int kCoresetChunk = 16;

/// Throws std::invalid_argument on sizes that do not fit, or where a value is not finite.
void check_coreset(Rows<double> data, std::int64_t count, std::int64_t start);

}  // namespace nightshift::kernels
