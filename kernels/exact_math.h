#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/philox.h"

/// Transcendental functions made of additions, multiplications and written-out fused multiply-adds only:
/// the same bits on every CPU, compiler and GPU (libm and CUDA's own differ in the last place). Callers
/// must be compiled without contraction (-ffp-contract=off, --fmad=false).
/// fp32 coefficients: Cephes (sinf, cosf, logf). The constants say how far from the true value each function
/// is at most, in ulp (the distance of neighbouring floats at the value) or as it is: found at every seventh
/// argument of the whole range, and tested at a part of them.
namespace nightshift::kernels {

struct SinCos {
    float sine, cosine;
};

inline constexpr double kSincosSineUlps = .75, kSincosCosineUlps = 1.25;

/// Sine and cosine of a reduced argument, |r| <= pi/4, turned by `quadrant` quarter turns.
NIGHTSHIFT_HD inline SinCos sincos_quadrant(float r, std::uint32_t quadrant) {
    const float z = r * r;
    float s = std::fma(-1.9515295891e-4f, z, 8.3321608736e-3f);
    s = std::fma(s, z, -1.6666654611e-1f);
    s = std::fma(s * z, r, r);
    float c = std::fma(2.443315711809948e-5f, z, -1.388731625493765e-3f);
    c = std::fma(c, z, 4.166664568298827e-2f);
    c = std::fma(c * z, z, std::fma(-0.5f, z, 1.0f));
    const bool swapped = (quadrant & 1u) != 0;
    const float sine = swapped ? c : s;
    const float cosine = swapped ? s : c;
    return {(quadrant & 2u) != 0 ? -sine : sine, ((quadrant + 1u) & 2u) != 0 ? -cosine : cosine};
}

/// Nearest integer, halves to even; |x| < 2^22.
NIGHTSHIFT_HD inline float round_even(float x) {
    const float magic = 12582912.0f;   // 1.5 * 2^23: the sum has no fraction bits left
    return (x + magic) - magic;
}

inline constexpr float kSincosRadiansMax = 1000;
inline constexpr double kSincosRadiansError = 1e-7;
/// Of values from kSincosAway on; nearer to 0, where what reduction loses is more of them, up to 34.
inline constexpr double kSincosRadiansUlps = 1.6, kSincosAway = 1e-3;

/// |x| <= kSincosRadiansMax; beyond it neither the value nor its sameness is promised.
NIGHTSHIFT_HD inline SinCos sincos_radians(float x) {
    const float k = round_even(x * 0.636619772f);
    float r = std::fma(k, -1.5703125f, x);
    r = std::fma(k, -4.837512969970703e-4f, r);
    r = std::fma(k, -7.549789948768648e-8f, r);
    return sincos_quadrant(r, static_cast<std::uint32_t>(static_cast<std::int32_t>(k)));
}

inline constexpr double kSincosTurnsUlps = 2.8;

/// Of the angle word / 2^32 turns; the reduction is exact integer arithmetic.
NIGHTSHIFT_HD inline SinCos sincos_turns(std::uint32_t word) {
    const std::uint32_t quadrant = (word + (1u << 29)) >> 30;
    const auto rest = static_cast<std::int32_t>(word - (quadrant << 30));
    return sincos_quadrant(static_cast<float>(rest) * 1.4629180792671596e-9f, quadrant);
}

inline constexpr double kLogPositiveUlps = .85;

/// Natural logarithm of a normal positive number.
NIGHTSHIFT_HD inline float log_positive(float x) {
    std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
    // Moves the mantissa to [sqrt(1/2), sqrt(2)) so that the polynomial stays near 0.
    bits += 0x3f800000u - 0x3f3504f3u;
    const float e = static_cast<float>(static_cast<std::int32_t>(bits >> 23) - 127);
    const float m = std::bit_cast<float>((bits & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
    const float z = m * m;
    float y = std::fma(7.0376836292e-2f, m, -1.1514610310e-1f);
    y = std::fma(y, m, 1.1676998740e-1f);
    y = std::fma(y, m, -1.2420140846e-1f);
    y = std::fma(y, m, 1.4249322787e-1f);
    y = std::fma(y, m, -1.6668057665e-1f);
    y = std::fma(y, m, 2.0000714765e-1f);
    y = std::fma(y, m, -2.4999993993e-1f);
    y = std::fma(y, m, 3.3333331174e-1f);
    y = y * m * z;
    y = std::fma(-2.12194440e-4f, e, y);
    y = std::fma(-0.5f, z, y);
    return std::fma(0.693359375f, e, m + y);
}

struct NormalPair {
    float first, second;
};

/// Of the pairs that were looked at, all radii among them; the parts' errors together could be 1.7e-6.
inline constexpr double kNormalPairError = 1e-6, kNormalPairUlps = 4.5;
inline constexpr double kNormalPairMax = 5.769;

/// Two independent standard normals from two words (Box-Muller), of at most kNormalPairMax.
NIGHTSHIFT_HD inline NormalPair normal_pair(std::uint32_t radius_word, std::uint32_t angle_word) {
    const float radius = std::sqrt(-2.0f * log_positive(unit_float(radius_word)));
    const SinCos turn = sincos_turns(angle_word);
    return {radius * turn.cosine, radius * turn.sine};
}

// The doubles below use no fused operation: without hardware for it std::fma is a slow library call, and
// these run once a frame, where the last bit of accuracy does not matter but its sameness does.

inline constexpr double kExpExactMax = 700, kExpExactError = 2e-16;

/// exp in double, |x| <= kExpExactMax, error relative: Taylor after reduction by ln 2.
inline double exp_exact(double x) {
    const double k = std::floor(x * 1.4426950408889634 + 0.5);
    double r = x - k * 6.93147180369123816490e-01;   // 32 bits of ln 2: the product is exact
    r -= k * 1.90821492927058770002e-10;
    double sum = 1.0;
    for (int n = 15; n >= 1; --n) sum = sum * (r / n) + 1.0;
    return std::ldexp(sum, static_cast<int>(k));
}

inline constexpr double kLogExactMax = 1e30, kLogExactError = 5e-16;

/// Natural logarithm in double of 1 / kLogExactMax..kLogExactMax, by the inverse hyperbolic tangent's series;
/// error relative.
inline double log_exact(double x) {
    int e = 0;
    double m = std::frexp(x, &e);
    if (m < 0.70710678118654752) {
        m *= 2;
        --e;
    }
    const double t = (m - 1) / (m + 1);
    double sum = 0;
    for (int n = 25; n >= 1; n -= 2) sum = sum * (t * t) + 1.0 / n;
    return e * 0.69314718055994531 + 2 * t * sum;
}

inline constexpr double kSinExactMax = 1e4, kSinExactError = 2e-15;

/// Sine in double, |x| <= kSinExactMax rad; error absolute.
inline double sin_exact(double x) {
    const double k = std::floor(x * 0.15915494309189535 + 0.5);
    double r = x - k * 6.283185307169333;   // the first 37 bits of 2 pi: the product is exact
    r -= k * 1.0253376606378076e-11;
    double sum = 1.0;
    for (int n = 27; n >= 3; n -= 2) sum = sum * (-r * r / (n * (n - 1.0))) + 1.0;
    return r * sum;
}

/// Near the ends x + pi / 2 is rounded to 2e-12; kCosExactNearError: |x| <= 10.
inline constexpr double kCosExactError = 1e-12, kCosExactNearError = 3e-15;

/// Cosine, as sin_exact.
inline double cos_exact(double x) { return sin_exact(x + 1.5707963267948966); }

}  // namespace nightshift::kernels
