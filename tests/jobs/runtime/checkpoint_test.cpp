#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>

#include "jobs/runtime/checkpoint.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/sha256.h"
#include "tests/jobs/runtime/fake_daemon.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::jobs;
namespace fs = std::filesystem;

namespace {

void save_two(const fs::path& folder) {
    std::ofstream(folder / "weights.bin") << std::string(5000, 'w');
    fs::create_directory(folder / "optimizer state");
    std::ofstream(folder / "optimizer state" / "adam.bin") << "momentum";
}

struct Committed {
    tests::ScratchFolder data;
    CheckpointStore store{data.path() / "checkpoint", data.path(), AttemptId{JobId{3}, 2}};
    Checkpoint checkpoint = store.commit(12, save_two);
    fs::path folder = data.path() / checkpoint.path;
};

}  // namespace

TEST_CASE("checkpoint: holds its files, their hashes and the step") {
    Committed it;
    CHECK(it.checkpoint.step == 12);
    CHECK(it.checkpoint.job == JobId{3});
    CHECK(it.checkpoint.attempt == 2);
    CHECK(it.checkpoint.bytes == Bytes{5008});
    CHECK(it.checkpoint.path == "checkpoint/000001-step-12");
    CHECK(it.checkpoint.sha256 == sha256_of_file(it.folder / "checkpoint.json"));
    CHECK_FALSE(find_checkpoint_damage(it.folder).has_value());
    CHECK(checkpoint_step(it.folder) == 12);
    const auto manifest = nlohmann::json::parse(tests::read_file(it.folder / "checkpoint.json"));
    REQUIRE(manifest["files"].size() == 2);
    CHECK(manifest["files"][0]["name"] == "optimizer state/adam.bin");
}

TEST_CASE("checkpoint: every kind of damage is named") {
    Committed it;
    std::string words;
    SUBCASE("cut short") {
        fs::resize_file(it.folder / "weights.bin", 4999);
        words = "weights.bin has 4999 bytes, its manifest says 5000";
    }
    SUBCASE("one changed byte") {
        std::fstream(it.folder / "weights.bin", std::ios::in | std::ios::out).write("W", 1);
        words = "weights.bin does not match its SHA-256";
    }
    SUBCASE("a file is gone") {
        fs::remove(it.folder / "optimizer state" / "adam.bin");
        words = "optimizer state/adam.bin is missing";
    }
    SUBCASE("the manifest is gone") {
        fs::remove(it.folder / "checkpoint.json");
        words = "checkpoint.json";
    }
    SUBCASE("the manifest is cut short") {
        fs::resize_file(it.folder / "checkpoint.json", 40);
        words = "not a checkpoint's manifest";
    }
    SUBCASE("the manifest points outside") {
        std::ofstream(it.folder / "checkpoint.json")
            << R"({"format":1,"step":1,"files":[{"name":"../../secret","bytes":1,"sha256":""}]})";
        words = "outside";
    }
    const auto damage = find_checkpoint_damage(it.folder);
    REQUIRE(damage.has_value());
    CHECK_MESSAGE(damage->find(words) != std::string::npos, *damage);
}

TEST_CASE("checkpoint: the two newest are kept, also when a step is saved twice") {
    Committed it;
    it.store.commit(12, save_two);
    const Checkpoint third = it.store.commit(13, save_two);
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(it.store.folder()))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    CHECK(names == std::vector<std::string>{"000002-step-12", "000003-step-13"});
    CHECK(newest_checkpoint(it.store.folder()) == it.data.path() / third.path);
}

TEST_CASE("checkpoint: a save that fails leaves the earlier ones alone") {
    Committed it;
    CHECK_THROWS_AS(it.store.commit(13,
                                    [](const fs::path& folder) {
                                        std::ofstream(folder / "half.bin") << "half";
                                        throw JobError("disk_full", "no room");
                                    }),
                    JobError);
    CHECK(newest_checkpoint(it.store.folder()) == it.folder);
    CHECK_FALSE(find_checkpoint_damage(it.folder).has_value());
    const Checkpoint next = it.store.commit(14, save_two);
    CHECK_FALSE(fs::exists(it.data.path() / next.path / "half.bin"));
}

TEST_CASE("checkpoint: a damaged one falls back to the older, never to a newer") {
    Committed it;
    const Checkpoint newer = it.store.commit(20, save_two);
    std::vector<std::string> log;
    const auto note = [&](const fs::path& damaged, const std::string& why) {
        log.push_back(damaged.filename().string() + ": " + why);
    };
    CHECK(find_whole_checkpoint(it.data.path() / newer.path, note) == it.data.path() / newer.path);
    CHECK(log.empty());
    fs::resize_file(it.data.path() / newer.path / "weights.bin", 1);
    CHECK(find_whole_checkpoint(it.data.path() / newer.path, note) == it.folder);
    REQUIRE(log.size() == 1);
    CHECK(log[0].find("000002-step-20: file weights.bin") != std::string::npos);
    fs::remove(it.folder / "weights.bin");
    CHECK_FALSE(find_whole_checkpoint(it.data.path() / newer.path, note).has_value());
    CHECK_FALSE(find_whole_checkpoint(it.folder, note).has_value());
}

TEST_CASE("checkpoint: when all of an attempt are damaged, those of earlier attempts are looked at") {
    tests::ScratchFolder data;
    const auto commit = [&](int attempt, std::int64_t step) {
        CheckpointStore store(data.path() / "jobs/3" / std::to_string(attempt) / "checkpoint", data.path(),
                              AttemptId{JobId{3}, attempt});
        return data.path() / store.commit(step, save_two).path;
    };
    const auto spoil = [](const fs::path& checkpoint) { fs::resize_file(checkpoint / "weights.bin", 1); };
    const fs::path oldest = commit(2, 10);
    const fs::path older = commit(9, 20);
    fs::create_directories(data.path() / "jobs/3/10");  // it saved nothing
    const fs::path newest = commit(11, 30);
    const fs::path later = commit(12, 40);
    std::vector<std::string> log;
    const auto note = [&](const fs::path& damaged, const std::string& why) {
        log.push_back(damaged.filename().string() + ": " + why);
    };
    CHECK(find_whole_checkpoint(newest, note) == newest);
    spoil(newest);
    CHECK(find_whole_checkpoint(newest, note) == older);
    spoil(older);
    CHECK(find_whole_checkpoint(newest, note) == oldest);
    spoil(oldest);
    CHECK_FALSE(find_whole_checkpoint(newest, note).has_value());
    CHECK(find_whole_checkpoint(later, note) == later);
    CHECK(log.size() == 1 + 2 + 3);
}
