#pragma once

#include <cstdint>
#include <random>

namespace nightshift::tests {

/// Random numbers of one simulated night; the same seed gives the same night.
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}
    int between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
    bool one_in(int n) { return between(1, n) == 1; }
    /// For what wants an engine of its own.
    std::mt19937_64& engine() { return engine_; }

  private:
    std::mt19937_64 engine_;
};

}  // namespace nightshift::tests
