#pragma once

#include <Eigen/Core>

#include "kernels/matrix.h"

/// Matrices of Eigen as the kernels' products take them. For .cpp files: Eigen's headers are large.
namespace nightshift::jobs {

/// A row-major matrix, map or block of whole rows; the expression's storage has to outlive the view.
template <typename Matrix>
kernels::MatrixView view_of(const Matrix& matrix) {
    static_assert(Matrix::IsRowMajor);
    return {matrix.data(), matrix.rows(), matrix.cols(), matrix.outerStride()};
}

/// Where a product of the matrix's size goes.
template <typename Matrix>
kernels::MatrixTarget target_of(Matrix& matrix, bool adds = false) {
    static_assert(Matrix::IsRowMajor);
    return {matrix.data(), matrix.outerStride(), adds};
}

}  // namespace nightshift::jobs
