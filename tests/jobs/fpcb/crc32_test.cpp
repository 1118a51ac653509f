#include "jobs/fpcb/crc32.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/kernels/every_variant.h"

using namespace nightshift;

namespace {

/// As the standard says it, a bit at a time.
std::uint32_t by_bits(std::span<const std::byte> bytes, std::uint32_t start) {
    std::uint32_t remainder = ~start;
    for (const std::byte byte : bytes) {
        remainder ^= static_cast<std::uint32_t>(byte);
        for (int bit = 0; bit < 8; ++bit)
            remainder = (remainder >> 1) ^ ((remainder & 1u) != 0 ? 0xEDB88320u : 0u);
    }
    return ~remainder;
}

std::vector<std::byte> noise(std::size_t count) {
    std::vector<std::byte> bytes(count);
    std::uint32_t word = 1;
    for (std::byte& byte : bytes) {
        word = word * 1664525u + 1013904223u;
        byte = static_cast<std::byte>(word >> 24);
    }
    return bytes;
}

}  // namespace

TEST_CASE("crc32: the check value of the standard, and nothing") {
    const std::string text = "123456789";
    CHECK(jobs::crc32(std::as_bytes(std::span(text))) == 0xCBF43926u);
    CHECK(jobs::crc32({}) == 0);
    CHECK(jobs::crc32({}, 7) == 7);
}

TEST_CASE("crc32: any length from any place behind any start") {
    const std::vector<std::byte> bytes = noise(700);
    tests::on_every_variant([&] {
        int wrong = 0;
        for (std::size_t first = 0; first < 17; ++first) {
            for (std::size_t count = 0; count < 400; ++count) {
                const auto part = std::span(bytes).subspan(first, count);
                const auto start = static_cast<std::uint32_t>(count * 2654435761u);
                wrong += jobs::crc32(part, start) != by_bits(part, start);
            }
        }
        CHECK(wrong == 0);
        const std::vector<std::byte> zeros(300);
        CHECK(jobs::crc32(zeros) == by_bits(zeros, 0));
        const auto all = std::span<const std::byte>(bytes);
        for (const std::size_t cut : {0u, 1u, 64u, 300u, 699u})
            CHECK(jobs::crc32(all.subspan(cut), jobs::crc32(all.first(cut))) == jobs::crc32(all));
    });
}
