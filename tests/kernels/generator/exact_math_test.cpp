#include "kernels/exact_math.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "kernels/cpu/sincos_exact.h"

using namespace nightshift::kernels;

TEST_CASE("exact_math: fp32 functions are within 2e-7 of libm in double") {
    double logs = 0, turns = 0, radians = 0;
    for (std::uint32_t i = 0; i < 200'000; ++i) {
        const std::uint32_t word = i * 21'474u + 7u;
        const float u = unit_float(word);
        const double exact = std::log(static_cast<double>(u));
        logs = std::max(
            logs, std::abs(static_cast<double>(log_positive(u)) - exact) / std::max(std::abs(exact), 1e-2));
        const SinCos turn = sincos_turns(word);
        const double angle = word * (2 * std::numbers::pi / 4294967296.0);
        turns = std::max({turns, std::abs(static_cast<double>(turn.sine) - std::sin(angle)),
                          std::abs(static_cast<double>(turn.cosine) - std::cos(angle))});
        const float x = -50.0f + static_cast<float>(i) * 5e-4f;
        const SinCos plain = sincos_radians(x);
        radians =
            std::max({radians, std::abs(static_cast<double>(plain.sine) - std::sin(static_cast<double>(x))),
                      std::abs(static_cast<double>(plain.cosine) - std::cos(static_cast<double>(x)))});
    }
    CHECK(logs < 2e-7);
    CHECK(turns < 2e-7);
    CHECK(radians < 2e-7);
}

TEST_CASE("exact_math: double functions are within 1e-14 of libm") {
    double exps = 0, sines = 0, logs = 0;
    for (int i = 0; i < 100'000; ++i) {
        const double x = -300 + i * 6e-3, s = i * 1e-2, l = 1e-3 + i * 1e-1;
        exps = std::max(exps, std::abs(exp_exact(x) / std::exp(x) - 1));
        sines = std::max(sines, std::abs(sin_exact(s) - std::sin(s)));
        logs = std::max(logs, std::abs(log_exact(l) - std::log(l)));
    }
    CHECK(exps < 1e-14);
    CHECK(sines < 1e-13);
    CHECK(logs < 1e-14);
}

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
