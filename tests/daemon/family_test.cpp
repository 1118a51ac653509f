#include "daemon/worker/family.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <fstream>

#include "daemon/worker/identity.h"
#include "daemon/worker/proc_table.h"
#include "tests/daemon/shell_request.h"

using namespace nightshift;
using namespace nightshift::daemon;

namespace {

/// Blocks until the script has written a word, and gives it.
std::string read_word(const std::string& fifo) {
    std::string word;
    std::ifstream(fifo) >> word;
    return word;
}

bool has_member(const Family& family, std::int64_t pid) {
    const auto members = family_members(family);
    return std::any_of(members.begin(), members.end(),
                       [pid](const FamilyMember& member) { return member.identity.pid == pid; });
}

/// SIGKILL needs a moment: kills and looks until nobody is left.
void end(const Family& family) {
    while (!kill_family(family).empty()) {
    }
}

}  // namespace

TEST_CASE("family: killing reaches children, their children, and those that ignore TERM") {
    const tests::ScratchFolder folder;
    boost::asio::io_context io;
    const std::string fifo = (folder / "ready").string();
    REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
    REQUIRE(mkfifo((folder / "never").c_str(), 0600) == 0);
    // The leader does not end by itself when the others do: it is killed, as the last.
    const std::string script =
        "trap '' TERM; (trap '' TERM; sleep 1000 & echo > ready; sleep 1000; true) & read x < never";
    auto process = Process::spawn(io, tests::shell(folder, script));
    REQUIRE(process);
    const Family family{(*process)->identity(), std::nullopt, ""};
    std::ifstream(fifo).get();  // blocks until the grandchild runs
    CHECK(family_members(family).size() >= 3);
    end(family);
    ExitStatus status;
    (*process)->on_exit([&](ExitStatus seen) { status = seen; });
    io.run();
    CHECK(status.signal == SIGKILL);
    CHECK(family_members(family).empty());
}

TEST_CASE("family: one that left the session and lost its parents is known by its mark") {
    const tests::ScratchFolder folder;
    boost::asio::io_context io;
    const std::string fifo = (folder / "ready").string();
    REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
    // The first shell is the worker; it is gone when the orphan says its number.
    SpawnRequest request = tests::shell(folder, "setsid sh -c 'echo $$ > ready; exec sleep 1000' & exit 0");
    request.environment = {{"NIGHTSHIFT_OUTPUT", folder.path().string()}};
    auto process = Process::spawn(io, request);
    REQUIRE(process);
    const ProcessIdentity worker = (*process)->identity();
    (*process)->on_exit([](ExitStatus) {});
    io.run();
    const std::int64_t orphan = std::stoll(read_word(fifo));
    const Family family{worker, std::nullopt, folder.path().string()};
    CHECK(has_member(family, orphan));
    CHECK_FALSE(has_member({worker, std::nullopt, ""}, orphan));
    // A folder whose name only begins alike is another attempt's.
    CHECK_FALSE(has_member({worker, std::nullopt, folder.path().string().substr(0, 8)}, orphan));
    end(family);
    CHECK_FALSE(identify(orphan));
}

TEST_CASE("family: one that left the session and its environment is known by a parent that lives") {
    const tests::ScratchFolder folder;
    boost::asio::io_context io;
    const std::string fifo = (folder / "ready").string();
    REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
    auto process = Process::spawn(
        io, tests::shell(folder, "env -i setsid sh -c 'echo $$ > ready; exec sleep 1000' & wait"));
    REQUIRE(process);
    const Family family{(*process)->identity(), std::nullopt, ""};
    const std::int64_t child = std::stoll(read_word(fifo));
    CHECK(has_member(family, child));
    end(family);
    CHECK_FALSE(identify(child));
}

TEST_CASE("family: a worker that is spared goes on when the others are gone") {
    const tests::ScratchFolder folder;
    boost::asio::io_context io;
    const std::string fifo = (folder / "ready").string(), word = (folder / "word").string();
    REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
    REQUIRE(mkfifo(word.c_str(), 0600) == 0);
    auto process = Process::spawn(io, tests::shell(folder, "sleep 1000 & echo $! > ready; read x < word"));
    REQUIRE(process);
    const Family family{(*process)->identity(), std::nullopt, ""};
    const std::int64_t child = std::stoll(read_word(fifo));
    while (kill_family(family, true).size() > 1) {
    }
    CHECK_FALSE(identify(child));
    CHECK(kill_family(family, true).size() == 1);
    // A signal on its way would come before the word does. The word is there until the script has read it:
    // a pipe that nobody has open loses what was written.
    std::fstream pipe(word, std::ios::in | std::ios::out);
    pipe << "go on" << std::endl;
    ExitStatus status;
    (*process)->on_exit([&](ExitStatus seen) { status = seen; });
    io.run();
    CHECK(status.exit_code == 0);
    CHECK_FALSE(status.signal);
}

TEST_CASE("family: nobody belongs to a worker of another boot") {
    ProcessIdentity other = own_identity();
    CHECK(has_member({other, std::nullopt, ""}, other.pid));
    other.boot_id = "00000000-0000-0000-0000-000000000000";
    CHECK(family_members({other, std::nullopt, ""}).empty());
}

TEST_CASE("proc table: a zombie has ended, but not while other threads of it go on") {
    ProcRow row;
    row.state = 'Z';
    row.threads = 1;
    CHECK(row.has_ended());
    row.threads = 2;
    CHECK_FALSE(row.has_ended());
    const auto self = read_proc(own_identity().pid);
    REQUIRE(self);
    CHECK(self->threads >= 1);
    CHECK(self->parent > 0);
}
