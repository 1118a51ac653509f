#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "daemon/instance_file.h"
#include "daemon/instance_lock.h"
#include "daemon/paths.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::daemon;

TEST_CASE("instance: one lock for each folder, free again when its owner goes") {
    const tests::ScratchFolder folder;
    const std::string path = (folder / "nightshiftd.lock").string();
    auto first = InstanceLock::take(path);
    REQUIRE(first);
    const auto second = InstanceLock::take(path);
    REQUIRE_FALSE(second);
    CHECK(second.error().reason == "data_folder_in_use");
    first->reset();
    CHECK(InstanceLock::take(path));
}

TEST_CASE("instance: the file says where the daemon is") {
    const tests::ScratchFolder folder;
    InstanceFile instance;
    instance.process = {"boot", 12, 34};
    instance.port = 7390;
    instance.address = "127.0.0.1";
    instance.version = "1.2.3";
    REQUIRE(write_instance_file((folder / "instance.json").string(), instance));
    std::ifstream file(folder / "instance.json");
    const auto document = nlohmann::json::parse(file);
    CHECK(document.at("pid") == 12);
    CHECK(document.at("start_ticks") == 34);
    CHECK(document.at("port") == 7390);
    CHECK(document.at("socket").is_null());
}

TEST_CASE("paths: a durable write replaces whole files for the owner alone") {
    const tests::ScratchFolder folder;
    const std::string path = (folder / "정책.json").string();
    REQUIRE(write_file_durably(path, "one"));
    REQUIRE(write_file_durably(path, std::string(100'000, 'x')));
    CHECK(read_file(path, 1 << 20)->size() == 100'000);
    CHECK_FALSE(is_open_to_others(path));
    const auto large = read_file(path, 10);
    REQUIRE_FALSE(large);
    CHECK(large.error().reason == "file_too_large");
    CHECK_FALSE(read_file((folder / "none").string(), 10));
}

TEST_CASE("paths: a data folder is made for its owner, and refused when it is open to others") {
    const tests::ScratchFolder folder;
    const std::string before = std::filesystem::current_path().string();
    const std::string data = (folder / "깊이/데이터 폴더").string();
    REQUIRE(enter_data_folder(data));
    CHECK(std::filesystem::current_path() == data);
    CHECK_FALSE(is_open_to_others(data));
    REQUIRE(chdir(before.c_str()) == 0);
    REQUIRE(chmod(data.c_str(), 0750) == 0);
    const Status refused = enter_data_folder(data);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "bad_permissions");
    CHECK(refused.error().hint.find("chmod 700") != std::string::npos);
    CHECK(std::filesystem::current_path() == before);
}
