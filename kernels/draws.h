#pragma once

#include <cstdint>

#include "kernels/exact_math.h"

namespace nightshift::kernels {

/// A small sequential reader of one Philox stream, one block a draw: for the few numbers drawn per
/// sequence or frame. Copying it forks the position, not the stream.
class Draws {
  public:
    Draws(std::uint64_t key, std::uint32_t stream, std::uint32_t kind, std::uint32_t frame = 0)
        : key_(key), stream_(stream), kind_(kind), frame_(frame) {}

    double uniform(double low, double high) { return low + (high - low) * unit_double(next().w0); }
    double log_uniform(double low, double high) { return low * exp_exact(uniform(0, log_exact(high / low))); }
    double normal(double mean, double sd) {
        const PhiloxWords words = next();
        return mean + sd * static_cast<double>(normal_pair(words.w0, words.w1).first);
    }
    /// Uniform in 0..n-1 (n >= 1); the bias of the multiply is below n / 2^32.
    std::uint32_t below(std::uint32_t n) {
        return static_cast<std::uint32_t>((std::uint64_t{next().w0} * n) >> 32);
    }
    /// Uniform in low..high, both included.
    int between(int low, int high) {
        return low + static_cast<int>(below(static_cast<std::uint32_t>(high - low + 1)));
    }
    bool chance(double probability) { return uniform(0, 1) < probability; }

  private:
    PhiloxWords next() { return philox({element_++, frame_, kind_, stream_}, key_); }

    std::uint64_t key_;
    std::uint32_t stream_, kind_, frame_;
    std::uint32_t element_ = 0;
};

}  // namespace nightshift::kernels
