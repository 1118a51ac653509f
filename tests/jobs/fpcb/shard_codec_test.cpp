#include "jobs/fpcb/shard_codec.h"

#include <cmath>
#include <cstring>

#include <doctest/doctest.h>

using namespace nightshift::jobs;

namespace {

/// Two planes of a smooth line in `frames` frames, then some bytes of something else.
std::vector<std::byte> block_of(std::uint32_t points, std::uint32_t frames, std::size_t beside) {
    std::vector<std::int16_t> planes;
    for (const double scale : {900.0, -700.0}) {
        for (std::uint32_t f = 0; f < frames; ++f) {
            for (std::uint32_t p = 0; p < points; ++p) {
                planes.push_back(
                    static_cast<std::int16_t>(std::lround(scale * std::sin(0.003 * p + 0.02 * f))));
            }
        }
    }
    std::vector<std::byte> block(planes.size() * 2 + beside, std::byte{0x5a});
    if (!planes.empty()) std::memcpy(block.data(), planes.data(), planes.size() * 2);
    return block;
}

}  // namespace

TEST_CASE("shard codec: what is packed comes back, also nothing and the ends of the range") {
    struct Case {
        std::uint32_t points, frames, beside;
    };
    for (const auto& [points, frames, beside] :
         {Case{230, 60, 17}, Case{1, 60, 0}, Case{230, 1, 3}, Case{0, 0, 0}, Case{7, 0, 9}}) {
        const auto block = block_of(points, frames, beside);
        const std::uint64_t values = std::uint64_t{points} * frames;
        const auto back = unpack_block(pack_block(block, values, points), block.size(), values, points);
        REQUIRE(back);
        CHECK(*back == block);
    }
    std::vector<std::byte> extremes(8);
    const std::int16_t ends[4] = {-32768, 32767, 32767, -32768};
    std::memcpy(extremes.data(), ends, sizeof ends);
    CHECK(unpack_block(pack_block(extremes, 2, 2), 8, 2, 2) == extremes);
}

TEST_CASE("shard codec: smooth lines take a fifth of the room or less") {
    const auto block = block_of(230, 60, 0);
    CHECK(pack_block(block, 230 * 60, 230).size() * 5 < block.size());
}

TEST_CASE("shard codec: what does not hold what its record says is nothing") {
    const auto block = block_of(20, 6, 5);
    const auto packed = pack_block(block, 120, 20);
    CHECK_FALSE(unpack_block(packed, block.size() - 1, 120, 20));
    CHECK_FALSE(unpack_block(packed, block.size() + 1, 120, 20));
    CHECK_FALSE(unpack_block(packed, block.size(), 200, 20));  // planes larger than the block
    CHECK_FALSE(unpack_block(std::span(packed).first(packed.size() - 1), block.size(), 120, 20));
    CHECK_FALSE(unpack_block({}, block.size(), 120, 20));
    CHECK_FALSE(unpack_block(block, block.size(), 120, 20));  // no frame at all
}
