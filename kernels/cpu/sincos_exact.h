#pragma once

#include <cstdint>

namespace nightshift::kernels {

#include "kernels/cpu/sincos_exact.inc"

/// Sine and cosine in double.
struct SinCosDouble {
    double sine, cosine;
};

/// |x| <= 1e4 rad, error below 1e-15 for |x| <= 10. Additions and multiplications only, so the same bits
/// everywhere (exact_math.h), those of the loops that include sincos_exact.inc among them.
inline SinCosDouble sincos_exact(double x) {
    SinCosDouble out{};
    sincos_lanes(x, out.sine, out.cosine);
    return out;
}

}  // namespace nightshift::kernels
