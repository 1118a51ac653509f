#pragma once

#include <cstdint>

#include "kernels/adam.h"
#include "kernels/array_fill.h"

namespace nightshift::kernels {

/// One matrix product: c[i, j] = (adds ? c[i, j] : 0) + sum over p of a[p, i] * b[p, j].
/// a is stored with the summed index first, so that what is multiplied with one row of b lies together.
struct Product {
    std::int64_t m = 0, n = 0, k = 0;
    const float* a = nullptr;  ///< [k, m], rows `a_row` apart, columns `a_column`
    std::int64_t a_row = 0;
    const float* b = nullptr;  ///< [k, n], rows `b_row` apart
    std::int64_t b_row = 0;
    float* c = nullptr;  ///< [m, n], rows `c_row` apart; overlaps neither a nor b
    std::int64_t c_row = 0;
    bool adds = false;
    std::int64_t a_column = 1;  ///< with a_row = 1 a lies turned, as [m, k]
};

/// The inner loops of the fast CPU paths, once for each instruction set. Every sum runs in one order with
/// every step rounded the same way, so avx2 and avx512 give equal bits; scalar has no fused multiply-add
/// and differs in the last places of products. Pure but for what they write; any thread.
struct ArrayOps {
    void (*multiply)(const Product& product);
    /// to[j, i] = from[i, j], i < rows, j < columns.
    void (*transpose)(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
                      float* to, std::int64_t to_row);
    /// values [rows, lanes] get `bias` [rows] added; with `is_hidden` what is below 0 becomes 0, then `keep`
    /// [rows, lanes] multiplies (nullptr = 1).
    void (*activate)(float* values, std::int64_t rows, std::int64_t lanes, const float* bias, bool is_hidden,
                     const float* keep);
    /// slope[i] becomes 0 where output[i] is not above 0, else is multiplied by keep[i] (nullptr = 1).
    void (*pass_back)(float* slope, const float* output, const float* keep, std::int64_t count);
    /// out[j] = (adds ? out[j] : 0) + sum over i of values[i, j].
    void (*column_sums)(const float* values, std::int64_t rows, std::int64_t columns, std::int64_t row,
                        float* out, bool adds);
    /// error [rows, lanes] = a - b, 0 from lane `valid` on; returns the sum of its squares. lanes % 16 = 0.
    double (*squared_error)(const float* a, const float* b, float* error, std::int64_t rows,
                            std::int64_t lanes, std::int64_t valid);
    /// As AdamFactors says, number by number.
    void (*adam)(float* parameters, float* first, float* second, const float* gradients, std::int64_t count,
                 const AdamFactors& factors);
    /// out[i] = word `first` + i of the stream; first % 4 = 0.
    void (*philox)(const PhiloxStream& stream, std::int64_t first, std::uint32_t* out, std::int64_t count);
    /// out[i] = uniform in (0, 1) of words[i] (unit_float), or with `drop` > 0: 0 where that is below
    /// `drop`, else 1 / (1 - drop).
    void (*uniforms)(const std::uint32_t* words, float* out, std::int64_t count, float drop);
};

/// Of the CPU variant in use (kernels/cpu_variant.h).
const ArrayOps& array_ops();

}  // namespace nightshift::kernels
