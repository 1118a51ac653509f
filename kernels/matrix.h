#pragma once

#include <cstdint>

namespace nightshift::kernels {

/// A float32 matrix that somebody else owns, row-major, rows `stride` apart.
struct MatrixView {
    const float* data = nullptr;
    std::int64_t rows = 0, columns = 0, stride = 0;
};

/// Products into c, row-major with rows `stride` apart: c = (adds ? c : 0) + ... c may overlap neither side.
/// Each number of c is one sum over rising indices, so it does not depend on how many rows there are; fused
/// multiply-adds where the processor has them. One thread; any thread. Tolerance: that of a float32 sum.
/// Throws std::invalid_argument where sizes do not fit.
struct MatrixTarget {
    float* data = nullptr;
    std::int64_t stride = 0;
    bool adds = false;
};

/// a [m, k] b [k, n]
void multiply(const MatrixView& a, const MatrixView& b, const MatrixTarget& c);
/// a [m, k] b^T, b [n, k]: layers, whose weights are [out, in]
void multiply_by_turned(const MatrixView& a, const MatrixView& b, const MatrixTarget& c);
/// a^T b, a [k, m], b [k, n]: gradients, summed over rows
void multiply_turned(const MatrixView& a, const MatrixView& b, const MatrixTarget& c);

}  // namespace nightshift::kernels
