#include "jobs/fpcb/shard_reader.h"

#include <cstring>
#include <fstream>
#include <span>
#include <utility>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/crc32.h"
#include "jobs/fpcb/shard_codec.h"
#include "jobs/fpcb/shard_format.h"
#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/sha256.h"

namespace nightshift::jobs {

namespace {

constexpr std::size_t kIndexFileBytesMax = std::size_t{64} << 20;  ///< dataset.json

struct Shard {
    std::filesystem::path path;
    std::string name, sha256;
    std::uint64_t bytes = 0;
    ShardCodec codec = ShardCodec::kRaw;
};

struct Entry {
    std::size_t shard;
    ShardRecord record;
};

[[noreturn]] void damaged(const Shard& shard, const std::string& what) {
    std::string found = "unreadable";
    try {
        found = sha256_of_file(shard.path);
    } catch (const std::exception&) {  // the first error is the one to report
    }
    throw JobError("hash_mismatch", shard.path.string() + ": " + what + ". Recorded SHA-256 " + shard.sha256 +
                                        ", found " + found + ". Generate or import the data set again.");
}

/// Reads exactly `bytes` at `offset`; each call has its own handle, so that readers need no lock.
std::vector<std::byte> read_at(const Shard& shard, std::uint64_t offset, std::uint64_t bytes) {
    std::ifstream in(shard.path, std::ios::binary);
    std::vector<std::byte> out(bytes);
    in.seekg(static_cast<std::streamoff>(offset));
    in.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(bytes));
    if (!in) damaged(shard, "ends before byte " + std::to_string(offset + bytes));
    return out;
}

/// Takes pieces off the front of a block and refuses to run past its end.
class Cursor {
  public:
    Cursor(const Shard& shard, std::string sequence, std::span<const std::byte> rest)
        : shard_(shard), sequence_(std::move(sequence)), rest_(rest) {}

    std::span<const std::byte> take(std::uint64_t bytes) {
        if (bytes > rest_.size()) damaged(shard_, "the block of " + sequence_ + " is too short");
        const auto piece = rest_.first(bytes);
        rest_ = rest_.subspan(bytes);
        return piece;
    }
    template <typename T>
    std::vector<T> values(std::uint64_t count) {
        const auto piece = take(count * sizeof(T));
        std::vector<T> out(count);
        if (count > 0) std::memcpy(out.data(), piece.data(), piece.size());
        return out;
    }
    std::string text(std::uint64_t bytes) {
        const auto piece = take(bytes);
        return {reinterpret_cast<const char*>(piece.data()), piece.size()};
    }
    std::uint32_t u32() { return values<std::uint32_t>(1)[0]; }

  private:
    const Shard& shard_;
    std::string sequence_;
    std::span<const std::byte> rest_;
};

std::vector<std::int32_t> numbered(std::uint32_t count, std::int32_t first) {
    std::vector<std::int32_t> out(count);
    for (std::uint32_t i = 0; i < count; ++i) out[i] = first + static_cast<std::int32_t>(i);
    return out;
}

class ShardSet final : public Dataset {
  public:
    explicit ShardSet(const std::filesystem::path& folder) {
        const nlohmann::json index = load_index(folder);
        Sha256 all;
        for (const auto& row : index.at("shards")) {
            Shard shard;
            shard.name = row.at("file").get<std::string>();
            if (shard.name.find_first_of("/\\") != std::string::npos || shard.name.empty()) {
                throw JobError("not_a_dataset", folder.string() + "/dataset.json: shard name '" + shard.name +
                                                    "' is not a plain file name");
            }
            shard.path = folder / shard.name;
            shard.bytes = row.at("bytes").get<std::uint64_t>();
            shard.sha256 = row.at("sha256").get<std::string>();
            all.update(shard.sha256 + "\n");
            shards_.push_back(shard);
            open_shard(shards_.size() - 1);
        }
        hash_ = all.hex();
        const auto expected = index.at("sequences").get<std::size_t>();
        if (expected != infos_.size()) {
            throw JobError("not_a_dataset", folder.string() + "/dataset.json: says " +
                                                std::to_string(expected) + " sequences, its shards hold " +
                                                std::to_string(infos_.size()));
        }
    }

    std::size_t size() const override { return infos_.size(); }
    const SequenceInfo& info(std::size_t i) const override { return infos_.at(i); }
    const std::string& content_hash() const override { return hash_; }

    Sequence read(std::size_t i) const override {
        const Entry& entry = entries_.at(i);
        const Shard& shard = shards_[entry.shard];
        const ShardRecord& record = entry.record;
        const std::string& name = infos_[i].name;
        const auto block = read_block(shard, record, name);
        Cursor cursor(shard, name, block);
        Sequence s;
        s.info = infos_[i];
        const std::uint64_t values = std::uint64_t{record.points} * record.frames;
        s.x = cursor.values<std::int16_t>(values);
        s.y = cursor.values<std::int16_t>(values);
        if (record.flags & kHasPresent) s.present = cursor.values<std::uint8_t>(values);
        s.point_index = record.flags & kHasPointNumbers ? cursor.values<std::int32_t>(record.points)
                                                        : numbered(record.points, 1);
        s.frame_number = record.flags & kHasFrameNumbers ? cursor.values<std::int32_t>(record.frames)
                                                         : numbered(record.frames, 0);
        for (std::uint32_t k = 0; k < record.side_files; ++k) {
            const std::uint32_t name_bytes = cursor.u32(), bytes = cursor.u32();
            SideFile side;
            side.name = cursor.text(name_bytes);
            side.bytes = cursor.text(bytes);
            s.side_files.push_back(std::move(side));
        }
        return s;
    }

  private:
    /// The raw block, whatever the codec.
    static std::vector<std::byte> read_block(const Shard& shard, const ShardRecord& record,
                                             const std::string& name) {
        auto block = read_at(shard, record.block_offset, record.block_bytes);
        if (crc32(block) != record.block_crc)
            damaged(shard, "the block of " + name + " does not match its checksum");
        if (shard.codec == ShardCodec::kRaw) return block;
        const std::uint64_t values = std::uint64_t{record.points} * record.frames;
        auto raw = unpack_block(block, record.raw_bytes, values, record.points);
        if (!raw) damaged(shard, "the block of " + name + " cannot be decompressed");
        return std::move(*raw);
    }

    static nlohmann::json load_index(const std::filesystem::path& folder) {
        const std::filesystem::path file = folder / "dataset.json";
        try {
            nlohmann::json index = nlohmann::json::parse(read_text(file, kIndexFileBytesMax));
            if (index.at("format") != "nightshift-shards" || index.at("version") != kShardVersion) {
                throw JobError("not_a_dataset",
                               file.string() + ": format or version is not one this build reads");
            }
            index.at("shards").at(0);
            return index;
        } catch (const nlohmann::json::exception& error) {
            throw JobError("not_a_dataset", file.string() + ": " + error.what());
        }
    }

    void open_shard(std::size_t number) {
        Shard& shard = shards_[number];
        std::error_code error;
        const std::uint64_t bytes = std::filesystem::file_size(shard.path, error);
        if (error)
            throw JobError("no_such_input",
                           shard.path.string() + ": " + error.message() + ". The data set is incomplete.");
        if (bytes != shard.bytes) {
            damaged(shard,
                    "has " + std::to_string(bytes) + " bytes instead of " + std::to_string(shard.bytes));
        }
        ShardHeader header;
        if (bytes < sizeof header) damaged(shard, "is shorter than a header");
        const auto head = read_at(shard, 0, sizeof header);
        std::memcpy(&header, head.data(), sizeof header);
        if (header.magic != kShardMagic ||
            header.header_crc != crc32(std::span(head).first(sizeof header - 4))) {
            damaged(shard, "its header is damaged");
        }
        const bool fits = header.version == kShardVersion && header.file_bytes == bytes &&
                          header.index_bytes <= kShardIndexBytesMax && header.index_offset <= bytes &&
                          header.index_bytes == bytes - header.index_offset &&
                          header.sequences <= kShardSequencesMax &&
                          std::uint64_t{header.sequences} * sizeof(ShardRecord) <= header.index_bytes &&
                          header.codec <= static_cast<std::uint32_t>(ShardCodec::kDeltaZstd);
        if (!fits) damaged(shard, "its header makes no sense");
        shard.codec = static_cast<ShardCodec>(header.codec);
        const auto index = read_at(shard, header.index_offset, header.index_bytes);
        if (crc32(index) != header.index_crc) damaged(shard, "its index does not match its checksum");
        const std::size_t heap_at = header.sequences * sizeof(ShardRecord);
        const std::string_view heap(reinterpret_cast<const char*>(index.data()) + heap_at,
                                    index.size() - heap_at);
        for (std::uint32_t i = 0; i < header.sequences; ++i) {
            ShardRecord record;
            std::memcpy(&record, index.data() + i * sizeof record, sizeof record);
            add(number, record, heap, header.index_offset);
        }
    }

    void add(std::size_t number, const ShardRecord& record, std::string_view heap, std::uint64_t blocks_end) {
        const Shard& shard = shards_[number];
        const auto text = [&](ShardText where) {
            if (where.offset > heap.size() || where.bytes > heap.size() - where.offset) {
                damaged(shard, "a name lies outside its index");
            }
            return std::string(heap.substr(where.offset, where.bytes));
        };
        const bool fits =
            record.points <= kPointsMax && record.frames <= kFramesMax &&
            std::uint64_t{record.points} * record.frames <= kPlaneValuesMax &&
            record.raw_bytes <= 4 * std::uint64_t{record.points} * record.frames + kSideBytesMax &&
            record.block_offset <= blocks_end && record.block_bytes <= blocks_end - record.block_offset &&
            record.split <= static_cast<std::uint32_t>(Split::kTest) && record.units_per_pixel >= 1;
        if (!fits) damaged(shard, "a record makes no sense");
        SequenceInfo info;
        info.id = static_cast<std::int64_t>(infos_.size());
        info.name = text(record.name);
        info.scenario = text(record.scenario);
        info.goal = text(record.goal);
        info.label = record.label;
        info.split = static_cast<Split>(record.split);
        info.points = static_cast<int>(record.points);
        info.frames = static_cast<int>(record.frames);
        info.fps = record.fps;
        info.meters_per_pixel = record.meters_per_pixel;
        info.seed = record.seed;
        info.noise = record.noise;
        info.event_frame = record.event_frame;
        info.units_per_pixel = static_cast<int>(record.units_per_pixel);
        infos_.push_back(std::move(info));
        entries_.push_back({number, record});
    }

    std::vector<Shard> shards_;
    std::vector<Entry> entries_;
    std::vector<SequenceInfo> infos_;
    std::string hash_;
};

}  // namespace

std::unique_ptr<Dataset> open_shards(const std::filesystem::path& folder) {
    try {
        return std::make_unique<ShardSet>(folder);
    } catch (const nlohmann::json::exception& error) {
        throw JobError("not_a_dataset", (folder / "dataset.json").string() + ": " + error.what());
    }
}

}  // namespace nightshift::jobs
