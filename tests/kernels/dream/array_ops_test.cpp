#include "kernels/cpu/array_ops.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/adam.h"
#include "kernels/cpu_variant.h"
#include "kernels/philox.h"
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

/// c of the product with gaps between rows of all three arrays.
std::vector<float> product_of(const ArrayOps& ops, const Sizes& s, bool adds) {
    const std::int64_t gap = 3;
    const std::vector<float> a = normals(s.k * (s.m + gap), 1), b = normals(s.k * (s.n + gap), 2);
    std::vector<float> c(static_cast<std::size_t>(s.m * (s.n + gap)), kUntouched);
    ops.multiply({s.m, s.n, s.k, a.data(), s.m + gap, b.data(), s.n + gap, c.data(), s.n + gap, adds});
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
        for (const Sizes s : {Sizes{1, 1, 1}, Sizes{1, 16, 5}, Sizes{12, 32, 7}, Sizes{13, 33, 3},
                              Sizes{6, 8, 64}, Sizes{81, 32, 64}, Sizes{64, 81, 32}, Sizes{7, 31, 9},
                              Sizes{25, 47, 300}, Sizes{2, 5, 600}, Sizes{11, 17, 256}, Sizes{23, 15, 257}}) {
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

TEST_CASE("array ops: Philox arrays are its words one by one") {
    for (const Named& each : all_ops()) {
        CAPTURE(each.name);
        for (const std::int64_t count : {0, 1, 3, 63, 64, 65, 1000}) {
            const PhiloxStream stream{0x123456789abcdef0U, 7, 0xd409, 99};
            std::vector<std::uint32_t> words(static_cast<std::size_t>(count) + 1, 42);
            each.ops->philox(stream, words.data(), count);
            int wrong = words.back() != 42;
            for (std::int64_t i = 0; i < count; ++i) {
                const PhiloxWords four =
                    philox({static_cast<std::uint32_t>(i / 4), stream.frame, stream.kind, stream.sequence},
                           stream.key);
                const std::uint32_t lanes[4] = {four.w0, four.w1, four.w2, four.w3};
                wrong += words[static_cast<std::size_t>(i)] != lanes[i % 4];
            }
            CHECK(wrong == 0);
            std::vector<float> uniform(words.size()), keep(words.size());
            each.ops->uniforms(words.data(), uniform.data(), count, 0);
            each.ops->uniforms(words.data(), keep.data(), count, 0.1F);
            for (std::size_t i = 0; i + 1 < words.size(); ++i) {
                REQUIRE(uniform[i] == unit_float(words[i]));
                REQUIRE(keep[i] == (uniform[i] < 0.1F ? 0.0F : 1.0F / (1.0F - 0.1F)));
            }
        }
    }
}

TEST_CASE("array ops: Adam has the same bits on every instruction set, and PyTorch's formula") {
    const std::int64_t count = 1003;
    const std::vector<float> gradients = normals(count, 5);
    std::vector<std::vector<float>> results;
    for (const Named& each : all_ops()) {
        std::vector<float> parameters = normals(count, 6), first = normals(count, 7, 0.1F),
                           second(1003, 0.5F);
        each.ops->adam(parameters.data(), first.data(), second.data(), gradients.data(), count,
                       {1e-2F, 0.1F, 0.999F, 1e-3F, 2e-3F, 1.5F, 1e-8F});
        results.push_back(parameters);
    }
    for (const auto& each : results) CHECK(each == results.front());
    std::vector<float> parameters = normals(count, 6), first(1003), second(1003);
    adam_update(parameters, first, second, gradients, 1, {0.01, 0});
    // The first step goes by the learning rate, whatever the gradient's size.
    const std::vector<float> before = normals(count, 6);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const double way = static_cast<double>(before[i]) - static_cast<double>(parameters[i]);
        REQUIRE(std::abs(way - std::copysign(0.01, static_cast<double>(gradients[i]))) < 1e-5);
    }
    CHECK_THROWS_AS(adam_update(parameters, first, std::span(second).first(5), gradients, 1, {}),
                    std::invalid_argument);
}
