#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <numbers>

#include "kernels/exact_math.h"

using namespace nightshift::kernels;

namespace {

/// One of so many 32-bit patterns is looked at: a prime number, so that there are thousands of each exponent.
/// NIGHTSHIFT_EXHAUSTIVE asks for another, 1 for all.
std::uint64_t stride() {
    const char* const asked = std::getenv("NIGHTSHIFT_EXHAUSTIVE");
    return asked == nullptr ? 1'031 : static_cast<std::uint64_t>(std::max(1, std::atoi(asked)));
}

/// check(pattern) for first, first + stride, ..., and for last.
template <typename Check>
void over_patterns(std::uint32_t first, std::uint32_t last, const Check& check) {
    const std::uint64_t step = stride();
    for (std::uint64_t pattern = first; pattern < last; pattern += step)
        check(static_cast<std::uint32_t>(pattern));
    check(last);
}

/// Distance of neighbouring floats at a value.
double ulp(double exact) {
    int exponent = 0;
    std::frexp(std::max(std::abs(exact), 0x1p-126), &exponent);
    return std::ldexp(1.0, exponent - 24);
}

struct Errors {
    double ulps = 0, absolute = 0;

    void add(float found, double exact) {
        const double error = std::abs(static_cast<double>(found) - exact);
        // Written so that a NaN counts as the worst.
        if (!(error <= absolute)) absolute = error;
        const double own = exact == 0 && found == 0 ? 0 : error / ulp(exact);
        if (!(own <= ulps)) ulps = own;
    }
};

struct Exact {
    double sine, cosine;
};

/// Of r turned by quarter turns, in double.
Exact turned(double r, std::uint32_t quadrant) {
    const double s = std::sin(r), c = std::cos(r);
    const std::array<Exact, 4> all{Exact{s, c}, Exact{c, -s}, Exact{-s, -c}, Exact{-c, s}};
    return all[quadrant & 3];
}

Exact of_turns(std::uint32_t word) {
    const std::uint32_t quadrant = (word + (1U << 29)) >> 30;
    const auto rest = static_cast<std::int32_t>(word - (quadrant << 30));
    return turned(static_cast<double>(rest) * (2 * std::numbers::pi / 4294967296.0), quadrant);
}

}  // namespace

TEST_CASE("exact_math errors: sine and cosine of a reduced argument, in every quadrant") {
    Errors sine, cosine;
    over_patterns(0, std::bit_cast<std::uint32_t>(0.785398185F), [&](std::uint32_t pattern) {
        const float r = std::bit_cast<float>(pattern);
        for (const float signed_r : {r, -r}) {
            for (std::uint32_t quadrant = 0; quadrant < 4; ++quadrant) {
                const SinCos found = sincos_quadrant(signed_r, quadrant);
                const Exact exact = turned(static_cast<double>(signed_r), quadrant);
                const bool is_swapped = (quadrant & 1U) != 0;
                (is_swapped ? cosine : sine).add(found.sine, exact.sine);
                (is_swapped ? sine : cosine).add(found.cosine, exact.cosine);
            }
        }
    });
    CHECK(sine.ulps <= kSincosSineUlps);
    CHECK(cosine.ulps <= kSincosCosineUlps);
}

TEST_CASE("exact_math errors: sine and cosine of radians") {
    Errors all, away;
    over_patterns(0, std::bit_cast<std::uint32_t>(kSincosRadiansMax), [&](std::uint32_t pattern) {
        const float x = std::bit_cast<float>(pattern);
        for (const float signed_x : {x, -x}) {
            const SinCos found = sincos_radians(signed_x);
            const double s = std::sin(static_cast<double>(signed_x)),
                         c = std::cos(static_cast<double>(signed_x));
            all.add(found.sine, s);
            all.add(found.cosine, c);
            if (std::abs(s) >= kSincosAway) away.add(found.sine, s);
            if (std::abs(c) >= kSincosAway) away.add(found.cosine, c);
        }
    });
    CHECK(all.absolute <= kSincosRadiansError);
    CHECK(away.ulps <= kSincosRadiansUlps);
}

TEST_CASE("exact_math errors: sine and cosine of all 2^32 turns") {
    Errors errors;
    over_patterns(0, ~0U, [&](std::uint32_t word) {
        const SinCos found = sincos_turns(word);
        const Exact exact = of_turns(word);
        errors.add(found.sine, exact.sine);
        errors.add(found.cosine, exact.cosine);
    });
    CHECK(errors.ulps <= kSincosTurnsUlps);
}

TEST_CASE("exact_math errors: logarithm of every normal number above 0") {
    Errors errors;
    const auto add = [&](std::uint32_t pattern) {
        const float x = std::bit_cast<float>(pattern);
        errors.add(log_positive(x), std::log(static_cast<double>(x)));
    };
    over_patterns(std::bit_cast<std::uint32_t>(std::numeric_limits<float>::min()),
                  std::bit_cast<std::uint32_t>(std::numeric_limits<float>::max()), add);
    for (std::uint32_t near = 0; near < 2000; ++near) add(std::bit_cast<std::uint32_t>(1.0F) - 1000 + near);
    CHECK(errors.ulps <= kLogPositiveUlps);
    CHECK(log_positive(1.0F) == 0.0F);
}

TEST_CASE("exact_math errors: normal pairs") {
    Errors errors;
    double largest = 0;
    std::uint32_t angle = 0;
    over_patterns(0, ~0U, [&](std::uint32_t radius) {
        angle += 0x9E3779B9U;
        const NormalPair found = normal_pair(radius, angle);
        const double exact = std::sqrt(-2 * std::log(static_cast<double>(unit_float(radius))));
        const Exact turn = of_turns(angle);
        errors.add(found.first, exact * turn.cosine);
        errors.add(found.second, exact * turn.sine);
        largest = std::max({largest, std::abs(static_cast<double>(found.first)),
                            std::abs(static_cast<double>(found.second))});
    });
    CHECK(errors.ulps <= kNormalPairUlps);
    CHECK(errors.absolute <= kNormalPairError);
    CHECK(normal_pair(0, 0).first <= kNormalPairMax);
    CHECK(normal_pair(0, 0).first > .999 * kNormalPairMax);
    CHECK(largest <= kNormalPairMax);
}

namespace {

/// check(x) for numbers of either sign with every exponent from 2^-40 up to `largest`, and both ends.
template <typename Check>
void over_doubles(double largest, const Check& check) {
    const int each = stride() < 1'031 ? 200'003 : 4'001;
    for (double low = 0x1p-40; low < largest; low *= 2) {
        for (int i = 0; i < each; ++i) {
            const double x = std::min(low * (1 + static_cast<double>(i) / each), largest);
            check(x);
            check(-x);
        }
    }
    check(0.0);
    check(largest);
    check(-largest);
}

/// Of a double to one of 64 bits.
double off(double found, long double exact) {
    return static_cast<double>(std::abs(found - exact));
}

}  // namespace

TEST_CASE("exact_math errors: exponential and logarithm in double, relative") {
    double exponentials = 0, logarithms = 0;
    over_doubles(kExpExactMax, [&](double x) {
        const long double exact = std::exp(static_cast<long double>(x));
        exponentials = std::max(exponentials, off(exp_exact(x), exact) / static_cast<double>(exact));
    });
    over_doubles(std::log(kLogExactMax), [&](double x) {
        const double at = std::clamp(std::exp(x), 1 / kLogExactMax, kLogExactMax);
        if (at == 1) return;
        const long double exact = std::log(static_cast<long double>(at));
        logarithms = std::max(logarithms, off(log_exact(at), exact) / std::abs(static_cast<double>(exact)));
    });
    CHECK(exponentials <= kExpExactError);
    CHECK(logarithms <= kLogExactError);
    CHECK(exp_exact(0) == 1);
    CHECK(log_exact(1) == 0);
}

TEST_CASE("exact_math errors: sine and cosine in double, absolute") {
    double sines = 0, cosines = 0, near = 0;
    over_doubles(kSinExactMax, [&](double x) {
        sines = std::max(sines, off(sin_exact(x), std::sin(static_cast<long double>(x))));
        const double cosine = off(cos_exact(x), std::cos(static_cast<long double>(x)));
        cosines = std::max(cosines, cosine);
        if (std::abs(x) <= 10) near = std::max(near, cosine);
    });
    CHECK(sines <= kSinExactError);
    CHECK(cosines <= kCosExactError);
    CHECK(near <= kCosExactNearError);
    // The argument's own rounding is most of it: a bound a tenth as large does not hold.
    CHECK(cosines > kCosExactError / 10);
}
