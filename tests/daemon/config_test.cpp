#include "daemon/config.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <vector>

using namespace nightshift;
using namespace nightshift::daemon;

namespace {

ParsedConfig parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "nightshiftd");
    return parse_config(static_cast<int>(arguments.size()), arguments.data());
}

}  // namespace

TEST_CASE("config: defaults are those of the contract") {
    const ParsedConfig parsed = parse({});
    REQUIRE_FALSE(parsed.exit_code);
    CHECK(parsed.config.address == "127.0.0.1");
    CHECK(parsed.config.port == 7390);
    CHECK(parsed.config.socket_path.empty());
    CHECK_FALSE(parsed.config.simulate);
    CHECK(parsed.config.data_folder.front() == '/');
}

TEST_CASE("config: addresses in every spelling") {
    CHECK(parse({"--listen", "127.0.0.1:0"}).config.port == 0);
    CHECK(parse({"--listen", "[::1]:9000"}).config.address == "::1");
    CHECK(parse({"--listen", "localhost:9000"}).config.address == "127.0.0.1");
    CHECK(parse({"--listen", "8000"}).config.port == 8000);
    CHECK(parse({"--listen", "127.0.0.1"}).exit_code == kExitUsage);
    CHECK(parse({"--listen", "127.0.0.1:99999"}).exit_code == kExitUsage);
}

TEST_CASE("config: arguments win over the environment, which wins over defaults") {
    setenv("NIGHTSHIFT_LISTEN", "127.0.0.1:1111", 1);
    setenv("NIGHTSHIFT_DATA", "/tmp/환경/", 1);
    CHECK(parse({}).config.port == 1111);
    CHECK(parse({}).config.data_folder == "/tmp/환경");
    CHECK(parse({"--listen", "127.0.0.1:2222"}).config.port == 2222);
    unsetenv("NIGHTSHIFT_LISTEN");
    unsetenv("NIGHTSHIFT_DATA");
}

TEST_CASE("config: what is wrong ends with 64 and words, help with 0") {
    CHECK(parse({"--help"}).exit_code == kExitOk);
    CHECK(parse({"--version"}).exit_code == kExitOk);
    for (const std::vector<const char*>& arguments :
         {std::vector<const char*>{"--bogus"}, {"--simulate", "gpu=x"}, {"--log-level", "loud"}, {"stray"}}) {
        const ParsedConfig parsed = parse(arguments);
        CHECK(parsed.exit_code == kExitUsage);
        CHECK_FALSE(parsed.text.empty());
    }
}

TEST_CASE("config: exit codes tell a service manager what to do") {
    const auto code = [](const char* reason) {
        return exit_code_of({ErrorCode::kConflict, reason, "", "", ""});
    };
    CHECK(code("address_in_use") == 69);
    CHECK(code("data_folder_in_use") == 69);
    CHECK(code("schema_newer") == 78);
    CHECK(code("bad_permissions") == 78);
    CHECK(code("network_file_system") == 78);
    CHECK(exit_code_of({ErrorCode::kInvalidArgument, "bad_policy", "", "", ""}) == 64);
}
