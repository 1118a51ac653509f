#include "kernels/pcg64.h"

#include <algorithm>
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
/// choice(): picks that are looked through one by one.
constexpr std::int64_t kLookedThroughMax = 64;

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

__extension__ typedef unsigned __int128 Whole128;

constexpr Whole128 whole128(std::uint64_t high, std::uint64_t low) {
    return Whole128{high} << 64 | low;
}

constexpr Whole128 kMultiplier = whole128(0x2360ed051fc65da4ULL, 0x4385df649fccf645ULL);
/// States of every fourth word, one after another: four of them at a time do not wait for each other.
constexpr std::size_t kLanes = 4;
constexpr Whole128 kSquared = kMultiplier * kMultiplier, kJump = kSquared * kSquared;
/// What kLanes steps add to the state, for an increment of one.
constexpr Whole128 kJumpSum = kSquared * kMultiplier + kSquared + kMultiplier + 1;

/// XSL-RR.
std::uint64_t word_of(Whole128 state) {
    const auto high = static_cast<std::uint64_t>(state >> 64);
    return std::rotr(high ^ static_cast<std::uint64_t>(state), static_cast<int>(high >> 58));
}

/// High and low halves of a 64 x 64 bit product.
std::pair<std::uint64_t, std::uint64_t> multiply(std::uint64_t a, std::uint64_t b) {
    const Whole128 product = Whole128{a} * b;
    return {static_cast<std::uint64_t>(product >> 64), static_cast<std::uint64_t>(product)};
}

/// Of a word the lowest 9 bits draw a strip and a side, the next 52 how far a normal lies from the middle.
constexpr std::uint64_t kStripMask = kZigguratStrips - 1, kSideMask = 2 * kZigguratStrips - 1;

std::uint64_t distance_of(std::uint64_t word) {
    return (word >> 9) & 0x000fffffffffffffU;
}

double normal_at(const Ziggurat& table, std::uint64_t word, std::uint64_t distance) {
    // A signed number, for which processors have an instruction.
    return static_cast<double>(static_cast<std::int64_t>(distance)) * table.width[word & kSideMask];
}

/// Normals of words that lie in their strip's inner part, as all but one in a hundred do, up to the first
/// that does not. Gives how many.
std::size_t plain_normals(const Ziggurat& table, std::span<const std::uint64_t> words,
                          std::span<double> out) {
    const std::size_t most = std::min(words.size(), out.size());
    for (std::size_t i = 0; i < most; ++i) {
        const std::uint64_t word = words[i], distance = distance_of(word);
        if (distance >= table.inside[word & kStripMask]) return i;
        out[i] = normal_at(table, word, distance);
    }
    return most;
}

}  // namespace

Pcg64::Pcg64(std::uint64_t seed) {
    const std::array<std::uint64_t, 4> words = SeedSequence(seed).words64();
    const Whole128 increment = whole128(words[2], words[3]) << 1 | 1;
    // A step from 0, the seed added, a step; words come out behind a further one.
    const Whole128 state = (increment + whole128(words[0], words[1])) * kMultiplier + increment;
    increment_ = {static_cast<std::uint64_t>(increment >> 64), static_cast<std::uint64_t>(increment)};
    state_ = {static_cast<std::uint64_t>(state >> 64), static_cast<std::uint64_t>(state)};
}

void Pcg64::refill() {
    static_assert(kBlock % kLanes == 0);
    const Whole128 increment = whole128(increment_.high, increment_.low), jump = increment * kJumpSum;
    Whole128 lanes[kLanes], state = whole128(state_.high, state_.low);
    for (Whole128& lane : lanes) lane = state = state * kMultiplier + increment;
    for (std::size_t i = 0; i < kBlock; i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            words_[i + lane] = word_of(lanes[lane]);
            state = lanes[lane];
            lanes[lane] = state * kJump + jump;
        }
    }
    state_ = {static_cast<std::uint64_t>(state >> 64), static_cast<std::uint64_t>(state)};
    taken_ = 0;
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
        const std::size_t strip = word & kStripMask;
        const std::uint64_t distance = distance_of(word);
        const double x = normal_at(table, word, distance);
        if (distance < table.inside[strip]) return x;
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
        if ((upper - lower) * random() + lower < exp_exact(-0.5 * x * x)) return x;
    }
}

void Pcg64::normals(std::span<double> out) {
    const Ziggurat& table = ziggurat();
    while (!out.empty()) {
        if (taken_ == kBlock) refill();
        const std::size_t count = plain_normals(table, std::span(words_).subspan(taken_), out);
        taken_ += count;
        out = out.subspan(count);
        if (out.empty() || taken_ == kBlock) continue;
        out.front() = normal();  // more than one word, or a tail
        out = out.subspan(1);
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
    picks.reserve(static_cast<std::size_t>(size));
    const bool is_short = size <= kLookedThroughMax;
    std::unordered_set<std::int64_t> seen;  // of picks that are too many to look through them each time
    for (std::int64_t last = population - size; last < population; ++last) {
        const std::int64_t drawn = bounded(static_cast<std::uint32_t>(last));
        const bool is_new = is_short ? std::find(picks.begin(), picks.end(), drawn) == picks.end()
                                     : seen.insert(drawn).second;
        picks.push_back(is_new ? drawn : last);
        if (!is_short) seen.insert(picks.back());
    }
    shuffle(picks, 1);
    return picks;
}

}  // namespace nightshift::kernels
