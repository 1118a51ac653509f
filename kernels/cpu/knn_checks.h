#pragma once

#include <cstdint>

namespace nightshift::kernels {

/// Throws std::invalid_argument where a search of k neighbours has no sense: different columns, no column,
/// k outside of 1..min(rows, kNeighboursMax), sizes whose values do not fit 64 bits or rows that do not
/// fit 32.
void check_knn(std::int64_t bank_rows, std::int64_t bank_columns, std::int64_t query_rows,
               std::int64_t query_columns, int k);

}  // namespace nightshift::kernels
