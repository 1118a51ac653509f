#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace nightshift::kernels {

/// NumPy's default generator: PCG64 (XSL-RR, 128-bit state) seeded through SeedSequence, bit for bit, for
/// parity with results made in Python. Sequential; not for new streams (those use philox.h).
/// Sources: O'Neill, HMC-CS-2014-0905; numpy.random's documentation of SeedSequence and PCG64.
class Pcg64 {
  public:
    /// default_rng(seed).
    explicit Pcg64(std::uint64_t seed);

    std::uint64_t next64() {
        if (taken_ == kBlock) refill();
        return words_[taken_++];
    }
    /// Low half of a 64-bit draw first; the high half waits for the next call, whatever comes between.
    std::uint32_t next32();
    /// Uniform double in [0, 1): 53 bits.
    double random() { return static_cast<double>(next64() >> 11) * 0x1p-53; }
    double uniform(double low, double high) { return low + (high - low) * random(); }
    /// Standard normal: Marsaglia and Tsang's ziggurat of 256 strips. Within 1e-14 relative of NumPy's, whose
    /// tables were rounded another way; as many draws.
    double normal();
    /// normal() for every element, in order.
    void normals(std::span<double> out);
    /// Uniform integer in 0..last, last < 2^32 (Lemire's method; no draw for last = 0).
    std::uint32_t bounded(std::uint32_t last);
    /// integers(0, last, endpoint=True) of any width: up to 32 bits as above, beyond on whole words.
    std::uint64_t integer(std::uint64_t last);
    /// Uniform integer in 0..last by masked rejection, as NumPy's list shuffle draws; last < 2^32.
    std::uint32_t masked(std::uint32_t last);

    /// shuffle(list), in place.
    template <typename T>
    void shuffle_list(std::vector<T>& values) {
        for (std::size_t i = values.size(); i > 1; --i)
            std::swap(values[i - 1], values[masked(static_cast<std::uint32_t>(i - 1))]);
    }

    /// choice(population, size, replace=False) in its order: Floyd's set method with a shuffle, or a tail
    /// shuffle where population > 10,000 and size > population / 50. 1 <= size <= population < 2^32.
    std::vector<std::int64_t> choice(std::int64_t population, std::int64_t size);

  private:
    struct Word128 {
        std::uint64_t high = 0, low = 0;
    };
    static constexpr std::size_t kBlock = 64;  ///< words made at a time

    void refill();
    void shuffle(std::vector<std::int64_t>& values, std::int64_t first);

    Word128 state_, increment_;  ///< state_: of the last of words_
    std::array<std::uint64_t, kBlock> words_;
    std::size_t taken_ = kBlock;  ///< of words_
    std::uint32_t half_ = 0;
    bool has_half_ = false;
};

}  // namespace nightshift::kernels
