#include "kernels/pcg64.h"

#include <array>
#include <bit>
#include <numeric>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "kernels/cpu/ziggurat.h"
#include "kernels/exact_math.h"

namespace nightshift::kernels {
namespace {

constexpr std::size_t kPool = 4;
/// choice(): populations up to this never use the tail shuffle.
constexpr std::int64_t kSetPopulationMax = 10'000;
constexpr std::int64_t kTailShare = 50;

/// SeedSequence's hash: spreads the seed over a pool of four words, then draws from it.
class SeedSequence {
  public:
    explicit SeedSequence(std::uint64_t seed) {
        std::array<std::uint32_t, kPool> entropy{static_cast<std::uint32_t>(seed),
                                                 static_cast<std::uint32_t>(seed >> 32), 0, 0};
        for (std::size_t i = 0; i < kPool; ++i) pool_[i] = hash(entropy[i]);
        for (std::size_t from = 0; from < kPool; ++from) {
            for (std::size_t to = 0; to < kPool; ++to) {
                if (from != to) pool_[to] = mix(pool_[to], hash(pool_[from]));
            }
        }
    }

    std::array<std::uint64_t, 4> words64() const {
        std::array<std::uint32_t, 8> words{};
        std::uint32_t constant = 0x8b51f9ddU;
        for (std::size_t i = 0; i < words.size(); ++i) {
            std::uint32_t word = pool_[i % kPool] ^ constant;
            constant *= 0x58f38dedU;
            word *= constant;
            words[i] = word ^ (word >> 16);
        }
        std::array<std::uint64_t, 4> out{};
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = words[2 * i] | (static_cast<std::uint64_t>(words[2 * i + 1]) << 32);
        }
        return out;
    }

  private:
    std::uint32_t hash(std::uint32_t word) {
        word ^= constant_;
        constant_ *= 0x931e8875U;
        word *= constant_;
        return word ^ (word >> 16);
    }
    static std::uint32_t mix(std::uint32_t x, std::uint32_t y) {
        const std::uint32_t word = 0xca01f9ddU * x - 0x4973f715U * y;
        return word ^ (word >> 16);
    }

    std::array<std::uint32_t, kPool> pool_{};
    std::uint32_t constant_ = 0x43b0d7e5U;
};

/// High and low halves of a 64 x 64 bit product, in standard C++.
std::pair<std::uint64_t, std::uint64_t> multiply(std::uint64_t a, std::uint64_t b) {
    const std::uint64_t a0 = a & 0xffffffffU, a1 = a >> 32, b0 = b & 0xffffffffU, b1 = b >> 32;
    const std::uint64_t low = a0 * b0, middle = a1 * b0 + (low >> 32),
                        cross = a0 * b1 + (middle & 0xffffffffU);
    return {a1 * b1 + (middle >> 32) + (cross >> 32), (cross << 32) | (low & 0xffffffffU)};
}

}  // namespace

Pcg64::Pcg64(std::uint64_t seed) {
    const std::array<std::uint64_t, 4> words = SeedSequence(seed).words64();
    increment_ = {(words[2] << 1) | (words[3] >> 63), (words[3] << 1) | 1};
    step();
    const std::uint64_t low = state_.low + words[1];
    state_.high += words[0] + (low < state_.low ? 1 : 0);
    state_.low = low;
    step();
}

void Pcg64::step() {
    constexpr std::uint64_t kHigh = 0x2360ed051fc65da4ULL, kLow = 0x4385df649fccf645ULL;
    auto [high, low] = multiply(state_.low, kLow);
    high += state_.low * kHigh + state_.high * kLow;
    state_.low = low + increment_.low;
    state_.high = high + increment_.high + (state_.low < low ? 1 : 0);
}

std::uint64_t Pcg64::next64() {
    step();
    return std::rotr(state_.high ^ state_.low, static_cast<int>(state_.high >> 58));
}

std::uint32_t Pcg64::next32() {
    if (has_half_) {
        has_half_ = false;
        return half_;
    }
    const std::uint64_t word = next64();
    half_ = static_cast<std::uint32_t>(word >> 32);
    has_half_ = true;
    return static_cast<std::uint32_t>(word);
}

std::uint32_t Pcg64::bounded(std::uint32_t last) {
    if (last == 0) return 0;
    if (last == 0xffffffffU) return next32();
    const std::uint32_t count = last + 1;
    std::uint64_t product = static_cast<std::uint64_t>(next32()) * count;
    if (static_cast<std::uint32_t>(product) < count) {
        const std::uint32_t threshold = (0xffffffffU - last) % count;
        while (static_cast<std::uint32_t>(product) < threshold) {
            product = static_cast<std::uint64_t>(next32()) * count;
        }
    }
    return static_cast<std::uint32_t>(product >> 32);
}

std::uint64_t Pcg64::integer(std::uint64_t last) {
    if (last <= 0xffffffffU) return bounded(static_cast<std::uint32_t>(last));
    if (last == ~std::uint64_t{0}) return next64();
    const std::uint64_t count = last + 1, threshold = (~std::uint64_t{0} - last) % count;
    auto [high, low] = multiply(next64(), count);
    while (low < threshold) std::tie(high, low) = multiply(next64(), count);
    return high;
}

std::uint32_t Pcg64::masked(std::uint32_t last) {
    if (last == 0) return 0;
    const std::uint32_t mask = 0xffffffffU >> std::countl_zero(last);
    std::uint32_t value = next32() & mask;
    while (value > last) value = next32() & mask;
    return value;
}

double Pcg64::normal() {
    const Ziggurat& table = ziggurat();
    while (true) {
        const std::uint64_t word = next64();
        const std::size_t strip = word & 0xff;
        const std::uint64_t distance = (word >> 9) & 0x000fffffffffffffU;
        const double sign = (word >> 8) & 1 ? -1.0 : 1.0;
        const double x = static_cast<double>(distance) * table.width[strip];
        if (distance < table.inside[strip]) return sign * x;
        if (strip == 0) {
            // Beyond the last strip: Marsaglia's tail by two exponentials. 1 - u is exact for 53-bit u.
            while (true) {
                const double past = -log_exact(1 - random()) / kZigguratEnd;
                const double other = -log_exact(1 - random());
                if (other + other > past * past)
                    return (distance >> 8) & 1 ? -(kZigguratEnd + past) : kZigguratEnd + past;
            }
        }
        const double lower = table.height[strip], upper = table.height[strip - 1];
        if ((upper - lower) * random() + lower < exp_exact(-0.5 * x * x)) return sign * x;
    }
}

void Pcg64::shuffle(std::vector<std::int64_t>& values, std::int64_t first) {
    for (auto i = static_cast<std::int64_t>(values.size()) - 1; i >= first; --i) {
        std::swap(values[static_cast<std::size_t>(i)], values[bounded(static_cast<std::uint32_t>(i))]);
    }
}

std::vector<std::int64_t> Pcg64::choice(std::int64_t population, std::int64_t size) {
    if (population > kSetPopulationMax && size > population / kTailShare) {
        std::vector<std::int64_t> all(static_cast<std::size_t>(population));
        std::iota(all.begin(), all.end(), std::int64_t{0});
        shuffle(all, population - size > 1 ? population - size : 1);
        return {all.end() - size, all.end()};
    }
    std::vector<std::int64_t> picks;
    std::unordered_set<std::int64_t> seen;
    for (std::int64_t last = population - size; last < population; ++last) {
        const std::int64_t drawn = bounded(static_cast<std::uint32_t>(last));
        picks.push_back(seen.insert(drawn).second ? drawn : last);
        seen.insert(picks.back());
    }
    shuffle(picks, 1);
    return picks;
}

}  // namespace nightshift::kernels
