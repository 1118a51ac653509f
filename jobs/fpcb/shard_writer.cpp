#include "jobs/fpcb/shard_writer.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <span>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/crc32.h"
#include "jobs/fpcb/shard_codec.h"
#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/sha256.h"

namespace nightshift::jobs {

namespace {

/// The file's bytes, built in memory: a shard is some 28 MB, and its hash has to cover the header, which
/// is known last.
class Block {
  public:
    template <typename T>
    void put(std::span<const T> values) {
        const auto* first = reinterpret_cast<const std::byte*>(values.data());
        bytes_.insert(bytes_.end(), first, first + values.size_bytes());
    }
    void put_text(std::string_view text) { put(std::span<const char>(text.data(), text.size())); }
    void put_u32(std::uint32_t value) { put(std::span<const std::uint32_t>(&value, 1)); }
    void align() { bytes_.resize((bytes_.size() + kShardAlignment - 1) / kShardAlignment * kShardAlignment); }
    void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
    std::vector<std::byte>& bytes() { return bytes_; }

  private:
    std::vector<std::byte> bytes_;
};

void require_consistent(const Sequence& s) {
    const std::size_t values =
        static_cast<std::size_t>(s.info.points) * static_cast<std::size_t>(s.info.frames);
    const bool ok =
        s.x.size() == values && s.y.size() == values && (s.present.empty() || s.present.size() == values) &&
        (s.point_index.empty() || s.point_index.size() == static_cast<std::size_t>(s.info.points)) &&
        (s.frame_number.empty() || s.frame_number.size() == static_cast<std::size_t>(s.info.frames));
    if (!ok) throw JobError("bad_sequence", "sequence " + s.info.name + ": its planes and counts disagree");
}

bool counts_from(const std::vector<std::int32_t>& numbers, std::int32_t first) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (numbers[i] != first + static_cast<std::int32_t>(i)) return false;
    }
    return true;
}

/// At least what a sequence takes as it is, its place in the index included.
std::size_t room_for(const Sequence& s) {
    std::size_t bytes = sizeof(ShardRecord) + kShardAlignment + s.info.name.size() + s.info.scenario.size() +
                        s.info.goal.size() + (s.x.size() + s.y.size()) * sizeof(std::int16_t) +
                        s.present.size() +
                        (s.point_index.size() + s.frame_number.size()) * sizeof(std::int32_t);
    for (const SideFile& side : s.side_files)
        bytes += 2 * sizeof(std::uint32_t) + side.name.size() + side.bytes.size();
    return bytes;
}

ShardText keep(std::string& heap, const std::string& text) {
    const ShardText where{static_cast<std::uint32_t>(heap.size()), static_cast<std::uint32_t>(text.size())};
    heap += text;
    return where;
}

/// Puts the packed form of what stands in `file` from `record.block_offset` on in its place.
void compress(Block& file, ShardRecord& record, const Sequence& s) {
    const auto raw = std::span<const std::byte>(file.bytes()).subspan(record.block_offset);
    if (raw.size() > std::numeric_limits<std::uint32_t>::max()) {
        throw JobError("bad_sequence", "sequence " + s.info.name + " has " +
                                           std::to_string(raw.size() >> 20) +
                                           " MiB, too much for a compressed shard; use codec raw");
    }
    record.raw_bytes = static_cast<std::uint32_t>(raw.size());
    const std::vector<std::byte> packed =
        pack_block(raw, s.x.size(), static_cast<std::uint32_t>(s.info.points));
    file.bytes().resize(record.block_offset);
    file.put(std::span<const std::byte>(packed));
}

ShardRecord put_sequence(Block& file, std::string& heap, const Sequence& s, ShardCodec codec) {
    require_consistent(s);
    file.align();
    ShardRecord record;
    record.block_offset = file.bytes().size();
    file.put(std::span<const std::int16_t>(s.x));
    file.put(std::span<const std::int16_t>(s.y));
    if (!s.present.empty()) {
        record.flags |= kHasPresent;
        file.put(std::span<const std::uint8_t>(s.present));
    }
    // The usual numbering (1..P, 0..F-1) is not stored.
    if (!s.point_index.empty() && !counts_from(s.point_index, 1)) {
        record.flags |= kHasPointNumbers;
        file.put(std::span<const std::int32_t>(s.point_index));
    }
    if (!s.frame_number.empty() && !counts_from(s.frame_number, 0)) {
        record.flags |= kHasFrameNumbers;
        file.put(std::span<const std::int32_t>(s.frame_number));
    }
    for (const SideFile& side : s.side_files) {
        file.put_u32(static_cast<std::uint32_t>(side.name.size()));
        file.put_u32(static_cast<std::uint32_t>(side.bytes.size()));
        file.put_text(side.name);
        file.put_text(side.bytes);
    }
    if (codec == ShardCodec::kDeltaZstd) compress(file, record, s);
    record.block_bytes = file.bytes().size() - record.block_offset;
    record.block_crc = crc32(std::span(file.bytes()).subspan(record.block_offset));
    record.points = static_cast<std::uint32_t>(s.info.points);
    record.frames = static_cast<std::uint32_t>(s.info.frames);
    record.fps = s.info.fps;
    record.meters_per_pixel = s.info.meters_per_pixel;
    record.noise = s.info.noise;
    record.seed = s.info.seed;
    record.id = s.info.id;
    record.event_frame = s.info.event_frame;
    record.label = s.info.label;
    record.split = static_cast<std::uint32_t>(s.info.split);
    record.units_per_pixel = static_cast<std::uint32_t>(s.info.units_per_pixel);
    record.name = keep(heap, s.info.name);
    record.scenario = keep(heap, s.info.scenario);
    record.goal = keep(heap, s.info.goal);
    record.side_files = static_cast<std::uint32_t>(s.side_files.size());
    return record;
}

}  // namespace

std::string shard_name(std::size_t number) {
    char name[32];
    std::snprintf(name, sizeof name, "shard-%05zu.nss", number);
    return name;
}

ShardEntry write_shard(const std::filesystem::path& folder, std::size_t number,
                       const std::vector<Sequence>& sequences, ShardCodec codec) {
    Block file;
    if (codec == ShardCodec::kRaw) {
        std::size_t bytes = sizeof(ShardHeader) + kShardAlignment;
        for (const Sequence& sequence : sequences) bytes += room_for(sequence);
        file.reserve(bytes);
    }
    file.bytes().resize(sizeof(ShardHeader));
    std::string heap;
    std::vector<ShardRecord> records;
    records.reserve(sequences.size());
    for (const Sequence& sequence : sequences) records.push_back(put_sequence(file, heap, sequence, codec));
    file.align();
    ShardHeader header;
    header.sequences = static_cast<std::uint32_t>(records.size());
    header.codec = static_cast<std::uint32_t>(codec);
    header.index_offset = file.bytes().size();
    file.put(std::span<const ShardRecord>(records));
    file.put_text(heap);
    header.index_bytes = file.bytes().size() - header.index_offset;
    header.index_crc = crc32(std::span(file.bytes()).subspan(header.index_offset));
    header.file_bytes = file.bytes().size();
    header.header_crc = crc32(std::as_bytes(std::span(&header, 1)).first(sizeof header - 4));
    std::memcpy(file.bytes().data(), &header, sizeof header);

    const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
    ShardEntry entry{shard_name(number), header.file_bytes, sha256_of(text), records.size()};
    write_durably(folder / entry.file, text);
    return entry;
}

nlohmann::ordered_json shard_codec_schema() {
    return {{"type", "string"},
            {"enum", {"raw", "zstd"}},
            {"default", "raw"},
            {"description", "raw: shards that can be mapped; zstd: a sixth of the room, slower to read"},
            {"x-ko", "raw: 바로 읽는 샤드, zstd: 약 1/6 크기로 압축 (읽기가 느려짐)"}};
}

ShardCodec shard_codec_of(const nlohmann::json& params) {
    return params.at("codec") == "zstd" ? ShardCodec::kDeltaZstd : ShardCodec::kRaw;
}

void write_dataset_index(const std::filesystem::path& folder, const std::vector<ShardEntry>& shards,
                         const nlohmann::json& source) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    std::size_t sequences = 0;
    for (const ShardEntry& shard : shards) {
        list.push_back({{"file", shard.file},
                        {"bytes", shard.bytes},
                        {"sha256", shard.sha256},
                        {"sequences", shard.sequences}});
        sequences += shard.sequences;
    }
    const nlohmann::ordered_json index{{"format", "nightshift-shards"},
                                       {"version", kShardVersion},
                                       {"sequences", sequences},
                                       {"shards", list},
                                       {"source", source}};
    write_durably(folder / "dataset.json", index.dump(1) + "\n");
}

}  // namespace nightshift::jobs
