#include "kernels/matrix.h"

#include <doctest/doctest.h>

#include <stdexcept>

#include "tests/kernels/dream/dream_case.h"

using namespace nightshift::kernels;
using nightshift::tests::normals;
using nightshift::tests::relative_error;

namespace {

/// Rows lie further apart than they are long, so that a wrong stride is seen.
struct Matrix {
    std::int64_t rows, columns, stride;
    std::vector<float> values;

    Matrix(std::int64_t r, std::int64_t c, std::uint64_t seed)
        : rows(r), columns(c), stride(c + 3), values(normals(r * (c + 3), seed)) {}
    MatrixView view() const { return {values.data(), rows, columns, stride}; }
    double at(std::int64_t i, std::int64_t j) const {
        return static_cast<double>(values[static_cast<std::size_t>(i * stride + j)]);
    }
    Matrix turned() const {
        Matrix out(columns, rows, 0);
        for (std::int64_t i = 0; i < rows; ++i) {
            for (std::int64_t j = 0; j < columns; ++j)
                out.values[static_cast<std::size_t>(j * out.stride + i)] = static_cast<float>(at(i, j));
        }
        return out;
    }
};

Matrix expected(const Matrix& a, const Matrix& b, Matrix c, bool adds) {
    for (std::int64_t i = 0; i < a.rows; ++i) {
        for (std::int64_t j = 0; j < b.columns; ++j) {
            double sum = adds ? c.at(i, j) : 0;
            for (std::int64_t p = 0; p < a.columns; ++p) sum += a.at(i, p) * b.at(p, j);
            c.values[static_cast<std::size_t>(i * c.stride + j)] = static_cast<float>(sum);
        }
    }
    return c;
}

}  // namespace

TEST_CASE("matrix: products of either side turned, with gaps between rows") {
    struct Sizes {
        std::int64_t m, n, k;
    };
    for (const Sizes s : {Sizes{1, 1, 1}, Sizes{5, 40, 3}, Sizes{200, 33, 81}, Sizes{193, 256, 64},
                          Sizes{7, 9, 700}, Sizes{0, 4, 4}}) {
        for (const bool adds : {false, true}) {
            CAPTURE(s.m);
            CAPTURE(adds);
            const Matrix a(s.m, s.k, 1), b(s.k, s.n, 2), c(s.m, s.n, 3);
            const Matrix right = expected(a, b, c, adds);
            Matrix plain = c, by_turned = c, turned = c;
            multiply(a.view(), b.view(), {plain.values.data(), c.stride, adds});
            multiply_by_turned(a.view(), b.turned().view(), {by_turned.values.data(), c.stride, adds});
            multiply_turned(a.turned().view(), b.view(), {turned.values.data(), c.stride, adds});
            CHECK(relative_error(plain.values, right.values) < 3e-6);
            CHECK(by_turned.values == plain.values);
            CHECK(turned.values == plain.values);
        }
    }
    const Matrix a(2, 3, 1), b(4, 5, 2);
    std::vector<float> c(20);
    CHECK_THROWS_AS(multiply(a.view(), b.view(), {c.data(), 5, false}), std::invalid_argument);
    CHECK_THROWS_AS(multiply_by_turned(a.view(), b.view(), {c.data(), 5, false}), std::invalid_argument);
    CHECK_THROWS_AS(multiply_turned(a.view(), b.view(), {c.data(), 5, false}), std::invalid_argument);
}
