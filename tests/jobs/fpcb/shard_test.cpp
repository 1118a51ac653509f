#include <doctest/doctest.h>

#include <string>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/dataset.h"
#include "jobs/fpcb/shard_writer.h"
#include "jobs/runtime/sha256.h"
#include "tests/jobs/fpcb/sequences.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

std::filesystem::path write_two(const ScratchFolder& scratch,
                                jobs::ShardCodec codec = jobs::ShardCodec::kRaw) {
    const auto folder = scratch / "dataset";
    std::filesystem::create_directories(folder);
    const auto entry =
        jobs::write_shard(folder, 0, {odd_sequence("a/first"), odd_sequence("b/second")}, codec);
    jobs::write_dataset_index(folder, {entry}, nlohmann::json::object());
    return folder;
}

}  // namespace

TEST_CASE("shard: everything written is read back, whatever the codec") {
    const ScratchFolder scratch;
    jobs::ShardCodec codec = jobs::ShardCodec::kRaw;
    SUBCASE("raw") {}
    SUBCASE("zstd") {
        codec = jobs::ShardCodec::kDeltaZstd;
    }
    const auto dataset = jobs::open_dataset(write_two(scratch, codec));
    REQUIRE(dataset->size() == 2);
    const jobs::Sequence expected = odd_sequence("b/second"), found = dataset->read(1);
    CHECK(found.x == expected.x);
    CHECK(found.y == expected.y);
    CHECK(found.present == expected.present);
    CHECK(found.point_index == expected.point_index);
    CHECK(found.frame_number == expected.frame_number);
    CHECK(found.info.name == "b/second");
    CHECK(found.info.scenario == "crack");
    CHECK(found.info.goal == "goal1");
    CHECK(found.info.split == jobs::Split::kVal);
    CHECK(found.info.seed == expected.info.seed);
    CHECK(found.info.event_frame == 1);
    CHECK(found.info.fps == 12.5);
    REQUIRE(found.side_files.size() == 2);
    CHECK(found.side_files[1].name == expected.side_files[1].name);
    CHECK(found.side_files[1].bytes == expected.side_files[1].bytes);
    CHECK(dataset->find("a/first") == 0);
    CHECK(has(refusal([&] { dataset->find("a/frist"); }), "Did you mean 'a/first'?"));
}

TEST_CASE("shard: a truncated shard is refused at once, with both hashes") {
    const ScratchFolder scratch;
    const auto folder = write_two(scratch);
    const auto shard = folder / "shard-00000.nss";
    const std::string whole = bytes_of(shard);
    put(shard, whole.substr(0, whole.size() - 5));
    const std::string message = refusal([&] { jobs::open_dataset(folder); });
    CHECK(has(message, "hash_mismatch: "));
    CHECK(has(message, jobs::sha256_of(whole)));
    CHECK(has(message, jobs::sha256_of(whole.substr(0, whole.size() - 5))));
    CHECK(has(message, "shard-00000.nss"));
}

TEST_CASE("shard: no changed byte goes unnoticed, and none makes it crash") {
    const ScratchFolder scratch;
    jobs::ShardCodec codec = jobs::ShardCodec::kRaw;
    SUBCASE("raw") {}
    SUBCASE("zstd") {
        codec = jobs::ShardCodec::kDeltaZstd;
    }
    const auto folder = write_two(scratch, codec);
    const auto shard = folder / "shard-00000.nss";
    const std::string whole = bytes_of(shard);
    std::size_t quiet = 0;
    for (std::size_t at = 0; at < whole.size(); ++at) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ 0x55);
        put(shard, changed);
        const std::string message = refusal([&] {
            const auto dataset = jobs::open_dataset(folder);
            for (std::size_t i = 0; i < dataset->size(); ++i) dataset->read(i);
        });
        if (message.empty())
            ++quiet;
        else
            CHECK(has(message, "hash_mismatch"));
    }
    // Only the padding between blocks is outside every checksum of the reader.
    CHECK(quiet < 3 * 64);
}

TEST_CASE("dataset: a folder that is none says what is missing") {
    const ScratchFolder scratch;
    CHECK(has(refusal([&] { jobs::open_dataset(scratch / "없음"); }), "no_such_input"));
    CHECK(has(refusal([&] { jobs::open_dataset(scratch.path()); }), "no dataset.json"));
    put(scratch / "dataset.json", "{\"format\": 3}");
    CHECK(has(refusal([&] { jobs::open_dataset(scratch.path()); }), "not_a_dataset"));
    put(scratch / "dataset.json", R"({"format":"nightshift-shards","version":1,"sequences":1,
        "shards":[{"file":"../x","bytes":1,"sha256":"","sequences":1}]})");
    CHECK(has(refusal([&] { jobs::open_dataset(scratch.path()); }), "plain file name"));
}
