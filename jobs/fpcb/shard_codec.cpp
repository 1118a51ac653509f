#include "jobs/fpcb/shard_codec.h"

#include <zstd.h>

#include <cstring>
#include <string>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

/// The library's default: higher levels take several times as long for some percent.
constexpr int kLevel = 3;
constexpr std::uint64_t kPlanes = 2;

std::vector<std::uint16_t> plane_at(const std::byte* from, std::uint64_t values) {
    std::vector<std::uint16_t> plane(values);
    if (values > 0) std::memcpy(plane.data(), from, values * sizeof(std::uint16_t));
    return plane;
}

void split_plane(const std::byte* from, std::byte* to, std::uint64_t values, std::uint32_t points) {
    const std::vector<std::uint16_t> plane = plane_at(from, values);
    for (std::uint64_t i = 0; i < values; ++i) {
        const std::uint16_t before = i % points == 0 ? std::uint16_t{0} : plane[i - 1];
        const auto delta = static_cast<std::uint16_t>(plane[i] - before);
        to[i] = static_cast<std::byte>(delta & 0xffu);
        to[values + i] = static_cast<std::byte>(delta >> 8);
    }
}

void join_plane(std::byte* inout, std::uint64_t values, std::uint32_t points) {
    std::vector<std::uint16_t> plane(values);
    std::uint16_t before = 0;
    for (std::uint64_t i = 0; i < values; ++i) {
        if (i % points == 0) before = 0;
        const auto low = std::to_integer<std::uint16_t>(inout[i]);
        const auto high = std::to_integer<std::uint16_t>(inout[values + i]);
        before = static_cast<std::uint16_t>(before + low + (high << 8));
        plane[i] = before;
    }
    if (values > 0) std::memcpy(inout, plane.data(), values * sizeof(std::uint16_t));
}

}  // namespace

std::vector<std::byte> pack_block(std::span<const std::byte> block, std::uint64_t values,
                                  std::uint32_t points) {
    std::vector<std::byte> split(block.begin(), block.end());
    const std::uint64_t plane_bytes = values * sizeof(std::uint16_t);
    for (std::uint64_t plane = 0; plane < kPlanes; ++plane) {
        split_plane(block.data() + plane * plane_bytes, split.data() + plane * plane_bytes, values, points);
    }
    std::vector<std::byte> packed(ZSTD_compressBound(split.size()));
    const std::size_t bytes = ZSTD_compress(packed.data(), packed.size(), split.data(), split.size(), kLevel);
    if (ZSTD_isError(bytes) != 0) {
        throw JobError("io_error", std::string("cannot compress a block of a shard: ") +
                                       ZSTD_getErrorName(bytes) + "; use codec raw");
    }
    packed.resize(bytes);
    return packed;
}

std::optional<std::vector<std::byte>> unpack_block(std::span<const std::byte> packed, std::uint64_t raw_bytes,
                                                   std::uint64_t values, std::uint32_t points) {
    const std::uint64_t plane_bytes = values * sizeof(std::uint16_t);
    if (kPlanes * plane_bytes > raw_bytes) return std::nullopt;
    // Before room is made for what a damaged record claims.
    if (ZSTD_getFrameContentSize(packed.data(), packed.size()) != raw_bytes) return std::nullopt;
    std::vector<std::byte> block(raw_bytes);
    const std::size_t bytes = ZSTD_decompress(block.data(), block.size(), packed.data(), packed.size());
    if (ZSTD_isError(bytes) != 0 || bytes != raw_bytes) return std::nullopt;
    for (std::uint64_t plane = 0; plane < kPlanes; ++plane) {
        join_plane(block.data() + plane * plane_bytes, values, points);
    }
    return block;
}

}  // namespace nightshift::jobs
