#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace nightshift::jobs {

/// CRC-32 (IEEE 802.3, as in zlib), eight bytes a step. Pure; any thread.
inline std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t start = 0) {
    static constexpr auto kTables = [] {
        std::array<std::array<std::uint32_t, 256>, 8> tables{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1u) ? 0xEDB88320u : 0u);
            tables[0][i] = value;
        }
        for (std::size_t t = 1; t < 8; ++t) {
            for (std::size_t i = 0; i < 256; ++i) {
                tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xffu];
            }
        }
        return tables;
    }();
    static_assert(std::endian::native == std::endian::little);
    std::uint32_t crc = ~start;
    std::size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data() + i, 8);
        word ^= crc;
        crc = 0;
        for (std::size_t t = 0; t < 8; ++t) crc ^= kTables[7 - t][(word >> (8 * t)) & 0xffu];
    }
    for (; i < bytes.size(); ++i)
        crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<std::uint32_t>(bytes[i])) & 0xffu];
    return ~crc;
}

}  // namespace nightshift::jobs
