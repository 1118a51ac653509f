#pragma once

#include <cstdint>

/// Marks a function for both sides where nvcc compiles it.
#if defined(__CUDACC__)
#define NIGHTSHIFT_HD __host__ __device__
#else
#define NIGHTSHIFT_HD
#endif

namespace nightshift::kernels {

/// Counter of one Philox block: who asks (sequence), for what (kind), when (frame), which (element).
struct PhiloxCounter {
    std::uint32_t element, frame, kind, sequence;
};

struct PhiloxWords {
    std::uint32_t w0, w1, w2, w3;
};

/// Philox4x32-10 (Salmon et al., SC 2011): four words for a counter and a 64-bit key. Pure function, so
/// any element of any stream is had at once, in any order, with the same bits on CPU and GPU.
NIGHTSHIFT_HD inline PhiloxWords philox(PhiloxCounter counter, std::uint64_t key) {
    std::uint32_t c0 = counter.element, c1 = counter.frame, c2 = counter.kind, c3 = counter.sequence;
    std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
#if defined(__GNUC__) && !defined(__CUDACC__)
#pragma GCC unroll 10   // an inner loop would keep the caller's loop over elements from being vectorised
#endif
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0;
        const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * c2;
        c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
        c1 = static_cast<std::uint32_t>(p1);
        c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
        c3 = static_cast<std::uint32_t>(p0);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return {c0, c1, c2, c3};
}

/// Uniform in (0, 1), 23 bits, never 0 or 1: exact in fp32.
NIGHTSHIFT_HD inline float unit_float(std::uint32_t word) {
    return (static_cast<float>(word >> 9) + 0.5f) * 0x1p-23f;
}

/// Uniform in (0, 1), 32 bits, never 0 or 1.
NIGHTSHIFT_HD inline double unit_double(std::uint32_t word) {
    return (static_cast<double>(word) + 0.5) * 0x1p-32;
}

}  // namespace nightshift::kernels
