#include "jobs/fpcb/crc32.h"

#include <array>
#include <bit>
#include <cstring>

#include "kernels/cpu_variant.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define NIGHTSHIFT_CARRYLESS 1
#include <immintrin.h>
#else
#define NIGHTSHIFT_CARRYLESS 0
#endif

namespace nightshift::jobs {
namespace {

constexpr std::uint32_t kPolynomial =
    0xEDB88320u;  ///< the highest power is the lowest bit, as everywhere here
constexpr std::size_t kTableBytes = 8;

/// The polynomial `value` times x.
constexpr std::uint32_t times_x(std::uint32_t value) {
    return (value >> 1) ^ ((value & 1u) != 0 ? kPolynomial : 0u);
}

constexpr auto kTables = [] {
    std::array<std::array<std::uint32_t, 256>, kTableBytes> tables{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        tables[0][i] = i;
        for (int bit = 0; bit < 8; ++bit) tables[0][i] = times_x(tables[0][i]);
    }
    for (std::size_t t = 1; t < kTableBytes; ++t) {
        for (std::size_t i = 0; i < 256; ++i)
            tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xffu];
    }
    return tables;
}();
static_assert(std::endian::native == std::endian::little);

/// The remainder after `bytes` when it was `remainder` before them.
std::uint32_t by_tables(std::span<const std::byte> bytes, std::uint32_t remainder) {
    std::size_t i = 0;
    for (; i + kTableBytes <= bytes.size(); i += kTableBytes) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data() + i, kTableBytes);
        word ^= remainder;
        remainder = 0;
        for (std::size_t t = 0; t < kTableBytes; ++t)
            remainder ^= kTables[kTableBytes - 1 - t][(word >> (8 * t)) & 0xffu];
    }
    for (; i < bytes.size(); ++i)
        remainder = (remainder >> 8) ^ kTables[0][(remainder ^ static_cast<std::uint32_t>(bytes[i])) & 0xffu];
    return remainder;
}

#if NIGHTSHIFT_CARRYLESS

constexpr std::size_t kLaneBytes = 16, kLanes = 4, kStepBytes = kLanes * kLaneBytes;

/// x^power modulo the polynomial, one place up: a product of mirrored numbers comes out one place down.
constexpr long long power_of_x(std::size_t power) {
    std::uint32_t value = 0x80000000u;
    for (std::size_t i = 0; i < power; ++i) value = times_x(value);
    return static_cast<long long>(std::uint64_t{value} << 1);
}

// Factors of the halves of a lane that lie first in memory (Low) and behind them: the latter are 64 bits
// nearer to the end, and a factor has 32 bits less than a half.
constexpr long long kStepLow = power_of_x(8 * kStepBytes + 32), kStepHigh = power_of_x(8 * kStepBytes - 32);
constexpr long long kLaneLow = power_of_x(8 * kLaneBytes + 32), kLaneHigh = power_of_x(8 * kLaneBytes - 32);

#define NIGHTSHIFT_WITH_CARRYLESS __attribute__((target("pclmul")))

/// What has the remainder of `lane` as far from the end as the factors say, and `next`, which lies there.
NIGHTSHIFT_WITH_CARRYLESS inline __m128i folded(__m128i lane, __m128i factors, __m128i next) {
    return _mm_xor_si128(
        _mm_xor_si128(_mm_clmulepi64_si128(lane, factors, 0x00), _mm_clmulepi64_si128(lane, factors, 0x11)),
        next);
}

inline __m128i load(const std::byte* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

/// The same with products: lanes are replaced by what has the same remainder 64 bytes further on, until 16
/// bytes are left. At least kStepBytes.
NIGHTSHIFT_WITH_CARRYLESS std::uint32_t by_products(std::span<const std::byte> bytes,
                                                    std::uint32_t remainder) {
    const __m128i by_step = _mm_set_epi64x(kStepHigh, kStepLow),
                  by_lane = _mm_set_epi64x(kLaneHigh, kLaneLow);
    const std::byte* at = bytes.data();
    const std::byte* const end = at + bytes.size();
    __m128i lanes[kLanes];
    for (std::size_t k = 0; k < kLanes; ++k) lanes[k] = load(at + k * kLaneBytes);
    lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi32_si128(static_cast<int>(remainder)));
    for (at += kStepBytes; end - at >= static_cast<std::ptrdiff_t>(kStepBytes); at += kStepBytes) {
        for (std::size_t k = 0; k < kLanes; ++k)
            lanes[k] = folded(lanes[k], by_step, load(at + k * kLaneBytes));
    }
    __m128i sum = lanes[0];
    for (std::size_t k = 1; k < kLanes; ++k) sum = folded(sum, by_lane, lanes[k]);
    for (; end - at >= static_cast<std::ptrdiff_t>(kLaneBytes); at += kLaneBytes)
        sum = folded(sum, by_lane, load(at));
    std::array<std::byte, kLaneBytes> last{};
    _mm_storeu_si128(reinterpret_cast<__m128i*>(last.data()), sum);
    return by_tables({at, end}, by_tables(last, 0));
}

bool has_products() {
    static const bool is_there = __builtin_cpu_supports("pclmul") != 0;
    return is_there && kernels::cpu_variant() != kernels::CpuVariant::scalar;
}

#endif

}  // namespace

std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t start) {
#if NIGHTSHIFT_CARRYLESS
    if (bytes.size() >= kStepBytes && has_products()) return ~by_products(bytes, ~start);
#endif
    return ~by_tables(bytes, ~start);
}

}  // namespace nightshift::jobs
