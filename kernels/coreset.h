#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/backend.h"
#include "kernels/rows.h"

namespace nightshift::kernels {

/// A pick's values lie in a GPU block's shared memory.
inline constexpr std::int64_t kCoresetColumnsMax = 4096;

/// Rows in the order picked, and how far each was from those before it (0 for the first).
struct Coreset {
    std::vector<std::int64_t> picks;
    std::vector<double> distances;  ///< [picks]
    std::vector<double> remaining;  ///< [rows], distance of every row to its nearest pick at the end
};

/// Called after each pick with the number of picks so far; false stops (the coreset is then shorter).
/// Must not throw: the CPU calls it from a barrier.
using CoresetProgress = std::function<bool(std::int64_t picked)>;

/// Farthest-point (k-center greedy) sampling in double: the first pick is `start`, then repeatedly the row
/// that is farthest from all picks; equal distances: the lowest row; no row twice.
/// in: data [n, d], d <= kCoresetColumnsMax, finite; 1 <= count <= n.
/// Rows that a new pick cannot be closer to than an earlier one are passed over, by the filter of `knn` or
/// the triangle inequality; the result is that of the plain loop. Beside the data the CPU holds 26 bytes a
/// row, and for 16 picks or more 28 a row and 2 a value of which the filter has 256 MiB at most; where it
/// would need more, or no bound holds, the distances of 64 picks to all. Throws std::invalid_argument on
/// sizes that do not fit, or where a value is not finite.
Coreset greedy_coreset_cpu(Rows<double> data, std::int64_t count, std::int64_t start, int threads,
                           const CoresetProgress& progress = {});

/// The same on the GPU, and the same bits: sums run in one order on both. One kernel stays there for 256
/// picks, without the host; `progress` is called between two such kernels.
/// Throws DeviceError where the build has no CUDA or the device fails, OverBudget where the rows do not fit.
Coreset greedy_coreset_cuda(Backend& backend, Rows<double> data, std::int64_t count, std::int64_t start,
                            const CoresetProgress& progress = {});

/// On whatever the backend is.
Coreset greedy_coreset(Backend& backend, Rows<double> data, std::int64_t count, std::int64_t start,
                       const CoresetProgress& progress = {});

}  // namespace nightshift::kernels
