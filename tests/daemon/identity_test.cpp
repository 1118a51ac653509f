#include "daemon/worker/identity.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <fstream>
#include <sstream>

#include "daemon/worker/family.h"
#include "daemon/worker/process.h"
#include "tests/daemon/shell_request.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::daemon;

namespace {

std::string content(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("identity: a process is itself, and nobody else with its pid is") {
    const auto self = identify(getpid());
    REQUIRE(self);
    CHECK(self->boot_id == boot_id());
    CHECK(is_alive(*self));
    ProcessIdentity other = *self;
    other.start_ticks += 1;
    CHECK_FALSE(is_alive(other));
    other = *self;
    other.boot_id = "00000000-0000-0000-0000-000000000000";
    CHECK_FALSE(is_alive(other));
    CHECK_FALSE(identify(0x3fffffff));
    CHECK_FALSE(is_alive({}));
}

TEST_CASE("identity: a group is left as long as one of it lives, whoever opened it") {
    const tests::ScratchFolder folder;
    boost::asio::io_context io;
    // The leader goes at once; its child waits for the file and goes then.
    const std::string script = "sh -c 'until [ -e gone ]; do sleep 0.01; done' & exit 0";
    auto process = Process::spawn(io, tests::shell(folder, script));
    REQUIRE(process);
    const ProcessIdentity leader = (*process)->identity();
    (*process)->on_exit([](ExitStatus) {});
    io.run();
    CHECK_FALSE(is_alive(leader));
    CHECK(has_group(leader));
    while (!kill_family({leader, std::nullopt, ""}).empty()) {
    }
    ProcessIdentity other = leader;
    other.boot_id = "00000000-0000-0000-0000-000000000000";
    CHECK_FALSE(has_group(other));
    CHECK_FALSE(has_group({}));
}

TEST_CASE("process: exit code, log and environment of a child") {
    const tests::ScratchFolder folder;
    boost::asio::io_context io;
    auto process = Process::spawn(io, tests::shell(folder, "echo \"$MARK\"; echo fault >&2; pwd; exit 7"));
    REQUIRE(process);
    ExitStatus status;
    (*process)->on_exit([&](ExitStatus seen) { status = seen; });
    io.run();
    CHECK(status.exit_code == 7);
    CHECK_FALSE(status.signal);
    CHECK(content(folder / "stdout.log") == "밤 하나\nfault\n" + folder.path().string() + "\n");
}

TEST_CASE("process: a program that is not there is an error with words") {
    const tests::ScratchFolder folder;
    boost::asio::io_context io;
    SpawnRequest request = tests::shell(folder, "");
    request.program = "/no/such/program";
    const auto process = Process::spawn(io, request);
    REQUIRE_FALSE(process);
    CHECK(process.error().reason == "spawn_error");
}

TEST_CASE("process: an adopted process is watched to its end, a stranger with its pid is not adopted") {
    const tests::ScratchFolder folder;
    boost::asio::io_context io;
    auto child = Process::spawn(io, tests::shell(folder, "sleep 1000"));
    REQUIRE(child);
    const ProcessIdentity identity = (*child)->identity();
    ProcessIdentity stranger = identity;
    stranger.start_ticks -= 1;
    CHECK_FALSE(Process::adopt(io, stranger));
    auto adopted = Process::adopt(io, identity);
    REQUIRE(adopted);
    bool has_ended = false;
    (*adopted)->on_exit([&](ExitStatus) { has_ended = true; });
    kill_family({identity, std::nullopt, ""});
    io.run();
    CHECK(has_ended);
    CHECK_FALSE(is_alive(identity));
    CHECK_FALSE(Process::adopt(io, identity));
}

TEST_CASE("process: the worker of an attempt is found by its command line and folder") {
    const tests::ScratchFolder folder;
    const tests::ScratchFolder elsewhere;
    boost::asio::io_context io;
    SpawnRequest request = tests::shell(folder, "");
    request.program = "/bin/sh";
    // What stands in /proc/PID/cmdline: sh attempt --job 41 --attempt 2 (a script called "attempt").
    std::ofstream(folder / "attempt") << "sleep 1000\n";
    request.arguments = {"attempt", "--job", "41", "--attempt", "2"};
    auto process = Process::spawn(io, request);
    REQUIRE(process);
    const auto found = find_worker({JobId{41}, 2}, folder.path().string());
    REQUIRE(found);
    CHECK(*found == (*process)->identity());
    CHECK_FALSE(find_worker({JobId{41}, 1}, folder.path().string()));
    CHECK_FALSE(find_worker({JobId{4}, 2}, folder.path().string()));
    CHECK_FALSE(find_worker({JobId{41}, 2}, elsewhere.path().string()));
    kill_family({*found, std::nullopt, ""});
}
