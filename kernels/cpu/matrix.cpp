#include "kernels/matrix.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "kernels/cpu/array_ops.h"

namespace nightshift::kernels {
namespace {

/// Rows of the left side that are turned at a time: with a depth of 256 they stay in the second cache.
constexpr std::int64_t kTurnedRows = 192;

void require(bool fits) {
    if (!fits) throw std::invalid_argument("matrix product: the sides do not fit each other");
}

}  // namespace

void multiply(const MatrixView& a, const MatrixView& b, const MatrixTarget& c) {
    require(a.columns == b.rows);
    const ArrayOps& ops = array_ops();
    const std::int64_t block = std::min(kTurnedRows, a.rows);
    std::vector<float> turned(static_cast<std::size_t>(block * a.columns));
    for (std::int64_t at = 0; at < a.rows; at += block) {
        const std::int64_t rows = std::min(block, a.rows - at);
        ops.transpose(a.data + at * a.stride, a.stride, rows, a.columns, turned.data(), rows);
        ops.multiply({rows, b.columns, a.columns, turned.data(), rows, b.data, b.stride,
                      c.data + at * c.stride, c.stride, c.adds});
    }
}

void multiply_by_turned(const MatrixView& a, const MatrixView& b, const MatrixTarget& c) {
    require(a.columns == b.columns);
    std::vector<float> turned(static_cast<std::size_t>(b.rows * b.columns));
    array_ops().transpose(b.data, b.stride, b.rows, b.columns, turned.data(), b.rows);
    multiply(a, {turned.data(), b.columns, b.rows, b.rows}, c);
}

void multiply_turned(const MatrixView& a, const MatrixView& b, const MatrixTarget& c) {
    require(a.rows == b.rows);
    array_ops().multiply(
        {a.columns, b.columns, a.rows, a.data, a.stride, b.data, b.stride, c.data, c.stride, c.adds});
}

}  // namespace nightshift::kernels
