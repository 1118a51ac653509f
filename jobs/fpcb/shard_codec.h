#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// Blocks of shards with ShardCodec::kDeltaZstd: one Zstandard frame (RFC 8878) over the raw block, in which
/// each plane is the difference of every point to the one before it in its frame (the first to 0, modulo
/// 2^16), all low bytes first, then all high bytes. Pure; any thread.
namespace nightshift::jobs {

/// `block` starts with two planes of `values` int16 in rows of `points`. Throws JobError("io_error") where
/// the library refuses.
std::vector<std::byte> pack_block(std::span<const std::byte> block, std::uint64_t values,
                                  std::uint32_t points);

/// The raw block; nothing where `packed` does not hold exactly `raw_bytes` with two such planes in them.
std::optional<std::vector<std::byte>> unpack_block(std::span<const std::byte> packed,
                                                   std::uint64_t raw_bytes, std::uint64_t values,
                                                   std::uint32_t points);

}  // namespace nightshift::jobs
