#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "jobs/fpcb/dataset.h"
#include "jobs/fpcb/shard_format.h"

namespace nightshift::jobs {

inline constexpr std::size_t kSequencesPerShard = 512;   ///< about 28 MB of 60 frames x 230 points

/// One finished shard, as dataset.json lists it.
struct ShardEntry {
    std::string file;
    std::uint64_t bytes = 0;
    std::string sha256;
    std::size_t sequences = 0;
};

/// Writes one shard: temporary name, sync, rename. Throws JobError("io_error", "disk_full") naming the
/// file, or "bad_sequence" where planes and counts disagree. Any thread.
ShardEntry write_shard(const std::filesystem::path& folder, std::size_t number,
                       const std::vector<Sequence>& sequences, ShardCodec codec = ShardCodec::kRaw);

/// Parameter `codec` of kinds that write shards: raw or zstd.
nlohmann::ordered_json shard_codec_schema();
ShardCodec shard_codec_of(const nlohmann::json& params);

/// Name of a shard: "shard-00007.nss".
std::string shard_name(std::size_t number);

/// Writes dataset.json, which makes the folder a data set. `source` says what made it.
void write_dataset_index(const std::filesystem::path& folder, const std::vector<ShardEntry>& shards,
                         const nlohmann::json& source);

}  // namespace nightshift::jobs
