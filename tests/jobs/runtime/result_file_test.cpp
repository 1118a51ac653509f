#include <doctest/doctest.h>

#include <chrono>
#include <fstream>
#include <map>

#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/result_file.h"
#include "jobs/runtime/sha256.h"
#include "jobs/runtime/written_hashes.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::jobs;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

TEST_CASE("result file: declared artifacts come first, then every other file") {
    const tests::ScratchFolder output;
    fs::create_directories(output / "model/inner");
    std::ofstream(output / "model/model.json") << "{}";
    std::ofstream(output / "model/inner/w.bin") << "12345";
    std::ofstream(output / "b.txt") << "b";
    std::ofstream(output / "a.csv") << "a";
    fs::create_symlink("/etc/passwd", output / "link");
    fs::create_directories(output / ".nightshift");
    std::ofstream(output / ".nightshift/progress.jsonl") << "{}";

    const auto listed =
        list_artifacts(output.path(), {{"model/", "model"}, {"b.txt", "report"}, {"gone", "table"}}, true);
    REQUIRE(listed.size() == 3);
    CHECK(listed[0].name == "model");
    CHECK(listed[0].type == "model");
    CHECK(listed[0].bytes == Bytes{7});
    CHECK(listed[0].sha256 ==
          sha256_of("inner/w.bin 5 " + sha256_of("12345") + "\nmodel.json 2 " + sha256_of("{}") + "\n"));
    CHECK(listed[1].name == "b.txt");
    CHECK(listed[1].type == "report");
    CHECK(listed[1].sha256 == sha256_of("b"));
    CHECK(listed[2].name == "a.csv");
    CHECK(listed[2].type == "file");
    CHECK(list_artifacts(output.path(), {}, false).at(0).sha256.empty());
}

TEST_CASE("result file: a hash that was made while a file was written is taken, until it is written again") {
    const tests::ScratchFolder output;
    fs::create_directories(output / "model");
    const std::string told(64, 'a');  // another than it has, to be seen
    for (const char* name : {"declared.csv", "other.csv", "model/w.bin", "same_size.csv", "longer.csv"}) {
        std::ofstream(output / name) << name;
        remember_hash(output / name, told);
    }
    std::ofstream(output / "same_size.csv") << "SAME_SIZE.CSV";
    fs::last_write_time(output / "same_size.csv", fs::last_write_time(output / "other.csv") + 1s);
    const auto time = fs::last_write_time(output / "longer.csv");
    std::ofstream(output / "longer.csv") << "longer than it was";
    fs::last_write_time(output / "longer.csv", time);
    remember_hash(output / "none", told);

    std::map<std::string, std::string> found;
    for (const auto& artifact : list_artifacts(output.path() / "model" / "..",
                                               {{"declared.csv", "table"}, {"model", "model"}}, true))
        found[artifact.name] = artifact.sha256;
    CHECK(found["declared.csv"] == told);
    CHECK(found["other.csv"] == told);
    CHECK(found["model"] == sha256_of("w.bin 11 " + told + "\n"));
    CHECK(found["same_size.csv"] == sha256_of("SAME_SIZE.CSV"));
    CHECK(found["longer.csv"] == sha256_of("longer than it was"));
    CHECK_THROWS_AS(written_hash_of_file(output / "none"), JobError);
}

TEST_CASE("result file: what was written is read; what was cut is refused by name") {
    const tests::ScratchFolder folder;
    wire::ResultFile result;
    result.attempt = {JobId{9}, 3};
    result.done.exit_code = 4;
    result.done.message = "끝";
    write_result(folder.path(), result);
    CHECK(read_result(folder.path()).done.message == "끝");
    CHECK_FALSE(fs::exists(folder / "result.json.tmp"));
    fs::resize_file(folder / "result.json", 30);
    CHECK_THROWS_WITH_AS(read_result(folder.path()), doctest::Contains("result.json"), JobError);
}
