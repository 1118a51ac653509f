#pragma once

#include <cstdint>
#include <vector>

#include "kernels/backend.h"
#include "kernels/rows.h"

namespace nightshift::kernels {

/// Largest k of knn_*: the GPU keeps each thread's candidates in registers and local memory.
inline constexpr int kNeighboursMax = 64;

/// The k nearest bank rows of every query, nearest first; equal distances: the lower bank row first.
struct Neighbours {
    int k = 0;
    std::vector<double> distances;      ///< [queries, k], Euclidean (not squared)
    std::vector<std::int32_t> indices;  ///< [queries, k], rows of the bank
};

/// Exact brute-force search. in: bank [m, d], queries [n, d], n may be 0; finite values (a distance that is
/// no number counts as infinite), 1 <= k <= min(m, kNeighboursMax). Differences and sums are double, so float
/// rows give the distances of the float values as exactly as double rows do (1e-14 relative for d <= 1,000).
/// A product of whole numbers of 16 bits with a proven error bound (cpu/knn_fixed_bank.h) discards bank rows
/// first; what is left is computed exactly, so the result is that of the plain loop with every CPU variant.
/// `threads` <= 0 means 1. Throws std::invalid_argument on sizes that do not fit.
Neighbours knn_cpu(Rows<double> bank, Rows<double> queries, int k, int threads);
Neighbours knn_cpu(Rows<float> bank, Rows<float> queries, int k, int threads);

/// The same on the GPU, and the same bits: products of half precision on tensor cores, with a proven error
/// bound (cuda/knn_filter.cuh), discard bank rows first. Where the whole bank fits into a block's shared
/// memory, as half, it stays there. Queries go in as many parts as the budget asks for.
/// Throws DeviceError where the build has no CUDA or the device fails, OverBudget where the bank does not
/// fit.
Neighbours knn_cuda(Backend& backend, Rows<double> bank, Rows<double> queries, int k);
Neighbours knn_cuda(Backend& backend, Rows<float> bank, Rows<float> queries, int k);

/// On whatever the backend is.
Neighbours knn(Backend& backend, Rows<double> bank, Rows<double> queries, int k);
Neighbours knn(Backend& backend, Rows<float> bank, Rows<float> queries, int k);

}  // namespace nightshift::kernels
