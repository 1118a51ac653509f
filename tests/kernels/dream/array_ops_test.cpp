#include "kernels/cpu/array_ops.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/cpu_variant.h"
#include "tests/kernels/dream/dream_case.h"

using namespace nightshift::kernels;
using nightshift::tests::normals;

namespace {

struct Named {
    std::string name;
    const ArrayOps* ops;
};

/// Those that this machine can run.
std::vector<Named> all_ops() {
    std::vector<Named> all;
    for (const CpuVariant variant : cpu_variants_here()) {
        const ScopedCpuVariant scoped(variant);
        all.push_back({std::string(cpu_variant_name(variant)), &array_ops()});
    }
    return all;
}

constexpr float kUntouched = 12345;

struct Sizes {
    std::int64_t m, n, k;
};

constexpr std::int64_t kGap = 3;

/// c of the product with gaps between rows of all three arrays; `turned`: a lies as [m, k], with gaps, too.
std::vector<float> raw_product(const ArrayOps& ops, const Sizes& s, bool adds, bool turned,
                               const std::vector<float>& a, const std::vector<float>& b) {
    std::vector<float> c(static_cast<std::size_t>(s.m * (s.n + kGap)), kUntouched);
    Product product{s.m, s.n, s.k, a.data(), s.m + kGap, b.data(), s.n + kGap, c.data(), s.n + kGap, adds};
    std::vector<float> other(static_cast<std::size_t>(s.m * (s.k + kGap)), kUntouched);
    if (turned) {
        for (std::int64_t p = 0; p < s.k; ++p) {
            for (std::int64_t i = 0; i < s.m; ++i)
                other[static_cast<std::size_t>(i * (s.k + kGap) + p)] =
                    a[static_cast<std::size_t>(p * (s.m + kGap) + i)];
        }
        product.a = other.data();
        product.a_row = 1;
        product.a_column = s.k + kGap;
    }
    ops.multiply(product);
    return c;
}

/// The same, checked, of both ways that a can lie.
std::vector<float> product_of(const ArrayOps& ops, const Sizes& s, bool adds) {
    const std::int64_t gap = kGap;
    const std::vector<float> a = normals(s.k * (s.m + gap), 1), b = normals(s.k * (s.n + gap), 2);
    const std::vector<float> c = raw_product(ops, s, adds, false, a, b);
    REQUIRE(raw_product(ops, s, adds, true, a, b) == c);
    for (std::int64_t i = 0; i < s.m; ++i) {
        for (std::int64_t j = 0; j < s.n + gap; ++j) {
            double sum = adds ? static_cast<double>(kUntouched) : 0, size = 1;
            for (std::int64_t p = 0; p < s.k && j < s.n; ++p) {
                const double term = static_cast<double>(a[static_cast<std::size_t>(p * (s.m + gap) + i)]) *
                                    static_cast<double>(b[static_cast<std::size_t>(p * (s.n + gap) + j)]);
                sum += term;
                size += std::abs(term) + (adds ? std::abs(sum) : 0);
            }
            const auto found = static_cast<double>(c[static_cast<std::size_t>(i * (s.n + gap) + j)]);
            if (j >= s.n) {
                REQUIRE(found == static_cast<double>(kUntouched));
            } else {
                REQUIRE(std::abs(found - sum) <= 1e-6 * size);
            }
        }
    }
    return c;
}

}  // namespace

TEST_CASE("array ops: products of all sizes, nothing beside them is touched, fused ones agree in all bits") {
    for (const bool adds : {false, true}) {
        for (const Sizes s :
             {Sizes{1, 1, 1}, Sizes{1, 16, 5}, Sizes{12, 32, 7}, Sizes{13, 33, 3}, Sizes{6, 8, 64},
              Sizes{81, 32, 64}, Sizes{64, 81, 32}, Sizes{7, 31, 9}, Sizes{25, 47, 300}, Sizes{2, 5, 600},
              Sizes{11, 17, 256}, Sizes{23, 15, 257}, Sizes{162, 64, 32}, Sizes{64, 1, 33}, Sizes{4, 8, 16},
              Sizes{10, 57, 5}, Sizes{0, 4, 4}}) {
            CAPTURE(s.m);
            CAPTURE(s.n);
            CAPTURE(s.k);
            std::vector<std::vector<float>> fused;
            for (const Named& each : all_ops()) {
                CAPTURE(each.name);
                const std::vector<float> c = product_of(*each.ops, s, adds);
                if (each.name != "scalar") fused.push_back(c);
            }
            if (fused.size() == 2) CHECK(fused[0] == fused[1]);
        }
    }
}

TEST_CASE("array ops: matrices are turned, with gaps and odd edges") {
    for (const Named& each : all_ops()) {
        CAPTURE(each.name);
        for (const Sizes s : {Sizes{1, 1, 0}, Sizes{8, 8, 0}, Sizes{32, 81, 0}, Sizes{81, 32, 0},
                              Sizes{9, 7, 0}, Sizes{17, 23, 0}}) {
            const std::vector<float> from = normals(s.m * (s.n + 2), 3);
            std::vector<float> to(static_cast<std::size_t>(s.n * (s.m + 1)), kUntouched);
            each.ops->transpose(from.data(), s.n + 2, s.m, s.n, to.data(), s.m + 1);
            int wrong = 0;
            for (std::int64_t j = 0; j < s.n; ++j) {
                for (std::int64_t i = 0; i < s.m; ++i) {
                    wrong += to[static_cast<std::size_t>(j * (s.m + 1) + i)] !=
                             from[static_cast<std::size_t>(i * (s.n + 2) + j)];
                }
                wrong += to[static_cast<std::size_t>(j * (s.m + 1) + s.m)] != kUntouched;
            }
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE("array ops: activation, its way back, sums and errors") {
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
    for (const Named& each : all_ops()) {
        CAPTURE(each.name);
        std::vector<float> values(32, -1), keep(32, 2);
        values[1] = 3;
        values[2] = kNan;
        keep[17] = 0;
        const std::vector<float> bias{0.5F, 2};
        each.ops->activate(values.data(), 2, 16, bias.data(), true, keep.data());
        CHECK(values[0] == 0);
        CHECK(values[1] == 7);
        CHECK(std::isnan(values[2]));
        CHECK(values[16] == 2);
        CHECK(values[17] == 0);
        std::vector<float> slope(32, 3);
        each.ops->pass_back(slope.data(), values.data(), keep.data(), 32);
        CHECK(slope[0] == 0);
        CHECK(slope[1] == 6);
        CHECK(slope[2] == 0);
        CHECK(slope[16] == 6);
        CHECK(slope[17] == 0);
        std::vector<float> plain(32, -1);
        each.ops->activate(plain.data(), 2, 16, bias.data(), false, nullptr);
        CHECK(plain[0] == -0.5F);
        CHECK(plain[31] == 1);
        std::vector<float> without(16, 1);
        without[3] = kNan;
        without[4] = -9;
        each.ops->activate(without.data(), 1, 16, bias.data(), true, nullptr);
        CHECK(without[0] == 1.5F);
        CHECK(std::isnan(without[3]));
        CHECK(without[4] == 0);
        std::vector<float> sums(5, 100);
        const std::vector<float> rows{1, 2, 3, 4, 5, 9, 10, 20, 30, 40, 50, 9};
        each.ops->column_sums(rows.data(), 2, 5, 6, sums.data(), true);
        CHECK(sums == std::vector<float>{111, 122, 133, 144, 155});
        each.ops->column_sums(rows.data(), 2, 5, 6, sums.data(), false);
        CHECK(sums == std::vector<float>{11, 22, 33, 44, 55});
        const std::vector<float> zeros(64);
        std::vector<float> ones(64, 2), error(64, kNan);
        ones[20] = kNan;  // beyond the valid lanes
        CHECK(each.ops->squared_error(ones.data(), zeros.data(), error.data(), 2, 32, 19) == 4 * 2 * 19);
        CHECK(error[18] == 2);
        CHECK(error[19] == 0);
        CHECK(error[20] == 0);
        CHECK(error[50] == 2);
        CHECK(error[63] == 0);
    }
}

TEST_CASE("array ops: sums of columns go row by row, whatever their number") {
    constexpr std::int64_t kRows = 37, kGapped = 100;
    const std::vector<float> values = normals(kRows * kGapped, 4);
    for (const Named& each : all_ops()) {
        CAPTURE(each.name);
        for (const std::int64_t columns : {1, 7, 16, 33, 64, 81, 100}) {
            for (const bool adds : {false, true}) {
                std::vector<float> sums(kGapped, 0.375F), expected = sums;
                each.ops->column_sums(values.data(), kRows, columns, kGapped, sums.data(), adds);
                for (std::int64_t j = 0; j < columns; ++j) {
                    float& sum = expected[static_cast<std::size_t>(j)];
                    if (!adds) sum = 0;
                    for (std::int64_t i = 0; i < kRows; ++i)
                        sum += values[static_cast<std::size_t>(i * kGapped + j)];
                }
                CHECK(sums == expected);
            }
        }
    }
}
