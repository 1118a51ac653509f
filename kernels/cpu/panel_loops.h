#pragma once

#include <cstddef>

#include "kernels/cpu_variant.h"

namespace nightshift::kernels {

/// Points of the Savitzky-Golay window.
inline constexpr std::size_t kSmoothWidth = 11;

/// Loops of the panel's features, compiled for one CPU variant. Matrices are row-major. What they sum is
/// summed row after row, many columns beside each other, so all variants give the bits of the plain loop.
struct PanelLoops {
    /// out[i] = sum over k of weights[k] values[i + k], k below kSmoothWidth; i below `count`.
    void (*smooth)(const double* values, const double* weights, double* out, std::size_t count);
    /// out[i] = sum over k of k (values[i + h + k] - values[i + h - k]), k from 1 to h = kSmoothWidth / 2.
    void (*tangents)(const double* values, double* out, std::size_t count);
    /// out[i] = mean of values[i + middle + k] - values[i + middle - k], k from near to far.
    void (*bends)(const double* values, std::size_t middle, std::size_t near, std::size_t far, double* out,
                  std::size_t count);
    /// out[j] = sum over rows of factors[i] matrix[i, j]
    void (*weighted_sums)(const double* matrix, const double* factors, std::size_t rows, std::size_t columns,
                          double* out);
    /// Takes the component along a direction out of every column; weighted scalar product. work [columns].
    void (*project_out)(double* matrix, const double* direction, const double* weights, std::size_t rows,
                        std::size_t columns, double* work);
    /// Straight-line fits of every column of matrix[i, j] - less[i] on one regressor [rows] with weights;
    /// without a spread of the regressor slopes are 0.
    void (*fit_lines)(const double* matrix, const double* less, const double* regressor,
                      const double* weights, std::size_t rows, std::size_t columns, double* offsets,
                      double* slopes);
    /// How many values are below the bound.
    std::size_t (*count_below)(const double* values, std::size_t count, double bound);
    /// Takes the signs off and returns the sum, made of sixteen beside each other.
    double (*take_sizes)(double* values, std::size_t count);
    /// The value with `rank` of them below it, ties in any order: for a few, none of them NaN, rank < count.
    double (*value_of_rank)(const double* values, std::size_t count, std::size_t rank);
};
PanelLoops panel_loops(CpuVariant variant);

}  // namespace nightshift::kernels
