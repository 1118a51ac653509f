#pragma once

#include <array>
#include <bit>
#include <cstdint>

/// A shard, little-endian, all offsets from the start of the file:
///
///   header   64 bytes
///   blocks   one a sequence, each starting at a multiple of 64: x plane, y plane (int16, frame-major),
///            [present: u8 like x], [point numbers: P x i32], [frame numbers: F x i32],
///            side files, each u32 name bytes, u32 content bytes, name, content;
///            with kDeltaZstd compressed (shard_codec.h)
///   index    `sequences` records of 120 bytes, then the heap of their names
///
/// The header holds a CRC of itself and of the index, each record one of its block; dataset.json beside
/// the shards holds size and SHA-256 of every file. Planes of kRaw can be mapped and sent to a GPU as is.
namespace nightshift::jobs {

static_assert(std::endian::native == std::endian::little, "shards are little-endian");

inline constexpr std::array<char, 8> kShardMagic{'N', 'S', 'S', 'H', 'A', 'R', 'D', '1'};
inline constexpr std::uint32_t kShardVersion = 1;
inline constexpr std::uint64_t kShardAlignment = 64;
inline constexpr std::uint32_t kShardSequencesMax = 1u << 20;
inline constexpr std::uint64_t kShardIndexBytesMax = 1ull << 30;
inline constexpr std::uint32_t kPointsMax = 1u << 20;
inline constexpr std::uint32_t kFramesMax = 1u << 20;
inline constexpr std::uint64_t kPlaneValuesMax = 1ull << 28;   ///< points x frames
inline constexpr std::uint64_t kSideBytesMax = 1ull << 30;     ///< of a compressed block, beside its planes

enum class ShardCodec : std::uint32_t { kRaw = 0, kDeltaZstd = 1 };

struct ShardHeader {
    std::array<char, 8> magic = kShardMagic;
    std::uint32_t version = kShardVersion;
    std::uint32_t sequences = 0;
    std::uint64_t file_bytes = 0;
    std::uint64_t index_offset = 0;
    std::uint64_t index_bytes = 0;
    std::uint32_t index_crc = 0;
    std::uint32_t codec = static_cast<std::uint32_t>(ShardCodec::kRaw);
    std::array<std::uint32_t, 3> reserved{};
    std::uint32_t header_crc = 0;   ///< of the 60 bytes before it
};
static_assert(sizeof(ShardHeader) == 64);

enum ShardFlag : std::uint32_t { kHasPresent = 1, kHasPointNumbers = 2, kHasFrameNumbers = 4 };

struct ShardText {
    std::uint32_t offset = 0, bytes = 0;   ///< in the heap
};

struct ShardRecord {
    std::uint64_t block_offset = 0, block_bytes = 0;
    std::uint32_t block_crc = 0;
    std::uint32_t flags = 0;
    std::uint32_t points = 0, frames = 0;
    double fps = 0, meters_per_pixel = 0, noise = 0;
    std::uint64_t seed = 0;
    std::int64_t id = 0;
    std::int32_t event_frame = -1, label = -1;
    std::uint32_t split = 0, units_per_pixel = 1;
    ShardText name, scenario, goal;
    std::uint32_t side_files = 0;
    std::uint32_t raw_bytes = 0;   ///< of the block before it was compressed; 0 with kRaw
};
static_assert(sizeof(ShardRecord) == 120);

}  // namespace nightshift::jobs
