#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>

namespace nightshift::kernels {

/// Sine and cosine in double.
struct SinCosDouble {
    double sine, cosine;
};

/// |x| <= 1e4 rad, error below 1e-15 for |x| <= 10: Taylor on |r| <= pi / 4. Additions and multiplications
/// only, so the same bits everywhere (exact_math.h).
inline SinCosDouble sincos_exact(double x) {
    const double k = std::floor(x * 0.63661977236758134 + 0.5);
    double r = x - k * 1.57079632673412561417;  // the first 33 bits of pi / 2: the product is exact
    r -= k * 6.07710050650619224932e-11;
    const double z = r * r;
    double s = 1 / 355687428096000.0;
    for (const double inverse : {1 / 1307674368000.0, -1 / 6227020800.0, 1 / 39916800.0, -1 / 362880.0,
                                 1 / 5040.0, -1 / 120.0, 1 / 6.0})
        s = s * z - inverse;
    s = r + r * z * s;
    double c = 1 / 20922789888000.0;
    for (const double inverse :
         {1 / 87178291200.0, -1 / 479001600.0, 1 / 3628800.0, -1 / 40320.0, 1 / 720.0, -1 / 24.0})
        c = c * z - inverse;
    c = 1 - (z * 0.5 - z * z * c);
    const auto quadrant = static_cast<std::int64_t>(k) & 3;
    const double sine = quadrant & 1 ? c : s, cosine = quadrant & 1 ? s : c;
    return {quadrant & 2 ? -sine : sine, (quadrant + 1) & 2 ? -cosine : cosine};
}

}  // namespace nightshift::kernels
