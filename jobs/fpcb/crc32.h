#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nightshift::jobs {

/// CRC-32 (IEEE 802.3, as in zlib) of `bytes` behind those whose CRC is `start`. With carry-less products
/// where the processor has them and NIGHTSHIFT_CPU does not ask for scalar, else by tables. Pure; any thread.
std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t start = 0);

}  // namespace nightshift::jobs
