#include "kernels/cpu/ziggurat.h"

#include <cmath>

#include "kernels/exact_math.h"

namespace nightshift::kernels {

namespace {

/// Area of each strip, for 256 of them and the end above.
constexpr double kStripArea = 0.0049286732339746551;
constexpr double kMantissa = 0x1p52;

/// A sum of two doubles that do not overlap: about 32 digits.
struct Wide {
    double high = 0, low = 0;
};

Wide exact_sum(double a, double b) {
    const double sum = a + b, part = sum - a;
    return {sum, (a - (sum - part)) + (b - part)};
}

Wide exact_product(double a, double b) {
    const double product = a * b;
    return {product, std::fma(a, b, -product)};
}

Wide operator+(Wide a, Wide b) {
    const Wide sum = exact_sum(a.high, b.high);
    return exact_sum(sum.high, sum.low + a.low + b.low);
}

Wide operator*(Wide a, Wide b) {
    const Wide product = exact_product(a.high, b.high);
    return exact_sum(product.high, product.low + a.high * b.low + a.low * b.high);
}

Wide operator/(Wide a, Wide b) {
    const double guess = a.high / b.high;
    const Wide rest = a + Wide{-guess, 0} * b;
    return exact_sum(guess, rest.high / b.high);
}

Wide square_root(Wide a) {
    const double guess = std::sqrt(a.high);
    const Wide square = exact_product(guess, guess);
    const Wide rest = a + Wide{-square.high, -square.low};
    return exact_sum(guess, rest.high / (2 * guess));
}

/// exp for |x| < 8: Taylor's series of x / 1024, squared ten times.
Wide exponential(Wide x) {
    constexpr int kHalvings = 10, kTerms = 12;
    const Wide small{std::ldexp(x.high, -kHalvings), std::ldexp(x.low, -kHalvings)};
    Wide sum{1, 0};
    for (int n = kTerms; n >= 1; --n) sum = sum * small / Wide{static_cast<double>(n), 0} + Wide{1, 0};
    for (int i = 0; i < kHalvings; ++i) sum = sum * sum;
    return sum;
}

/// One step of Newton's method doubles the digits of log_exact.
Wide logarithm(Wide y) {
    const Wide guess{log_exact(y.high), 0};
    return guess + (y * exponential({-guess.high, 0}) + Wide{-1, 0});
}

std::uint64_t of_mantissa(Wide share) {
    return static_cast<std::uint64_t>(std::floor((share * Wide{kMantissa, 0}).high));
}

Ziggurat make_ziggurat() {
    Ziggurat out{};
    const Wide area{kStripArea, 0};
    Wide width{kZigguratEnd, 0};
    const Wide square = exact_product(kZigguratEnd, kZigguratEnd);
    Wide height = exponential({-0.5 * square.high, -0.5 * square.low});
    out.width[0] = (area / height).high / kMantissa;
    out.height[0] = 1;
    out.inside[0] = of_mantissa(width * height / area);
    for (std::size_t i = kZigguratStrips - 1; i > 0; --i) {
        out.width[i] = width.high / kMantissa;
        out.height[i] = height.high;
        if (i == 1) break;
        height = height + area / width;
        const Wide log = logarithm(height);
        const Wide next = square_root({-2 * log.high, -2 * log.low});
        out.inside[i] = of_mantissa(next / width);
        width = next;
    }
    out.inside[1] = 0;
    for (std::size_t i = 0; i < kZigguratStrips; ++i) out.width[kZigguratStrips + i] = -out.width[i];
    return out;
}

}  // namespace

const Ziggurat& ziggurat() {
    static const Ziggurat table = make_ziggurat();
    return table;
}

}  // namespace nightshift::kernels
