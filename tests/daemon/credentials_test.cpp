#include "daemon/credentials.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::daemon;

TEST_CASE("credentials: three files for the owner alone, kept from start to start") {
    const tests::ScratchFolder folder;
    const auto first = load_or_make_credentials(folder.path().string());
    REQUIRE(first);
    REQUIRE(first->size() == 3);
    CHECK((*first)[0].role == "admin");
    CHECK((*first)[2].role == "viewer");
    for (const char* name : {"auth.hdr", "operator.hdr", "viewer.hdr"}) {
        struct stat info {};
        REQUIRE(stat((folder / name).c_str(), &info) == 0);
        CHECK((info.st_mode & 0777) == 0600);
    }
    std::ifstream file(folder / "auth.hdr");
    std::string line;
    std::getline(file, line);
    REQUIRE(line.starts_with("Authorization: Bearer "));
    const std::string token = line.substr(22);
    CHECK(token.size() == 64);
    CHECK((*first)[0].sha256 == sha256_hex(token));
    const auto again = load_or_make_credentials(folder.path().string());
    REQUIRE(again);
    CHECK((*again)[0].sha256 == (*first)[0].sha256);
    CHECK((*again)[0].sha256 != (*again)[1].sha256);
}

TEST_CASE("credentials: a file that others can read is refused with the command that mends it") {
    const tests::ScratchFolder folder;
    REQUIRE(load_or_make_credentials(folder.path().string()));
    REQUIRE(chmod((folder / "operator.hdr").c_str(), 0640) == 0);
    const auto refused = load_or_make_credentials(folder.path().string());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "bad_permissions");
    CHECK(refused.error().hint.find("chmod 600") != std::string::npos);
}

TEST_CASE("credentials: a file with other content is refused, not overwritten") {
    const tests::ScratchFolder folder;
    REQUIRE(load_or_make_credentials(folder.path().string()));
    std::ofstream(folder / "viewer.hdr") << "Authorization: Bearer short\n";
    const auto refused = load_or_make_credentials(folder.path().string());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "bad_credentials");
}

TEST_CASE("credentials: the known SHA-256 of nothing and of abc") {
    CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
