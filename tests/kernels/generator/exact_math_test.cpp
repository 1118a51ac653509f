#include "kernels/exact_math.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "kernels/cpu/sincos_exact.h"

using namespace nightshift::kernels;

TEST_CASE("exact_math: sine and cosine in double together") {
    double near = 0, far = 0;
    for (int i = -200'000; i <= 200'000; ++i) {
        const double x = i * 5e-5, y = i * 5e-2;
        const SinCosDouble a = sincos_exact(x), b = sincos_exact(y);
        near = std::max({near, std::abs(a.sine - std::sin(x)), std::abs(a.cosine - std::cos(x))});
        far = std::max({far, std::abs(b.sine - std::sin(y)), std::abs(b.cosine - std::cos(y))});
    }
    CHECK(near < 1e-15);
    CHECK(far < 1e-12);
}

TEST_CASE("exact_math: rounding takes halves to even, as Python does") {
    CHECK(round_even(0.5f) == 0.0f);
    CHECK(round_even(1.5f) == 2.0f);
    CHECK(round_even(2.5f) == 2.0f);
    CHECK(round_even(-0.5f) == 0.0f);
    CHECK(round_even(806.499f) == 806.0f);
}
