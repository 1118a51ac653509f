#include <cerrno>

#include "tests/db/scripted_session.h"
#include "tests/db/store_fixture.h"
#include "tests/db/watched_disk.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

/// Writes that one step may need at most: a bound for a test that would not end.
constexpr int kWritesMax = 2000;

/// One transaction as the loop runs it: whatever fails is the answer, and nothing of it stays.
Status run_step(db::Store& store, const SessionStep& step) {
    NIGHTSHIFT_TRY(store.begin());
    Status done = store.savepoint();
    if (done) done = step.change(store);
    if (done) done = store.release_savepoint();
    if (done) done = store.commit();
    if (!done) store.rollback();
    store.take_new_events();
    return done;
}

struct Tally {
    int faults = 0, steps = 0;
};

/// Each step of the session, refused at its first write, then at its second, and so on until it needs no
/// further one. After each refusal the database holds exactly what it held before.
Tally refuse_every_write(const std::string& path, WatchedDisk& disk, int fault,
                         const std::function<void(const Error&)>& check) {
    Tally tally;
    auto store = db::Store::open(path, "test");
    REQUIRE(store);
    for (const SessionStep& step : scripted_session(1)) {
        INFO(step.name);
        ++tally.steps;
        const std::string before = fingerprint(path);
        bool is_done = false;
        for (int nth = 1; !is_done; ++nth) {
            REQUIRE(nth < kWritesMax);
            disk.fail_from(nth, fault);
            const Status answer = run_step(**store, step);
            const bool has_failed = disk.has_failed();
            disk.heal();
            is_done = !has_failed;
            if (is_done) {
                REQUIRE_MESSAGE(answer, (answer ? "" : answer.error().message));
                continue;
            }
            ++tally.faults;
            REQUIRE_FALSE(answer);  // never acknowledged
            check(answer.error());
            REQUIRE(fingerprint(path) == before);
        }
        disk.fail_from(1, fault);
        const Status moved = (*store)->checkpoint_wal();
        disk.heal();
        static_cast<void>(moved);
        if (step.moves_wal_after) REQUIRE((*store)->checkpoint_wal());
    }
    const auto broken = (*store)->self_check();
    REQUIRE(broken);
    for (const std::string& line : *broken) FAIL_CHECK(line);
    return tally;
}

/// The same session without any fault.
std::string undisturbed(const ScratchFolder& folder) {
    const std::string path = (folder / "그대로.db").string();
    auto store = db::Store::open(path, "test");
    REQUIRE(store);
    for (const SessionStep& step : scripted_session(1)) REQUIRE(run_step(**store, step));
    return fingerprint(path);
}

void compare(const std::string& path, const std::string& wanted) {
    CHECK(fingerprint(path) == wanted);
    auto again = db::Store::open(path, "test");
    REQUIRE(again);
    CHECK(fingerprint(path) == wanted);
}

}  // namespace

TEST_CASE(
    "disk fault: full at any write, each change is refused whole, and goes through when there is room") {
    const ScratchFolder folder;
    WatchedDisk disk;
    const std::string wanted = undisturbed(folder);
    const std::string path = (folder / "가득.db").string();
    const Tally tally = refuse_every_write(path, disk, ENOSPC, [](const Error& error) {
        CHECK(error.code == ErrorCode::kExhausted);
        CHECK(error.reason == "disk_low");
    });
    MESSAGE(tally.faults << " refusals in " << tally.steps << " transactions");
    CHECK(tally.faults > 5 * tally.steps);
    compare(path, wanted);
}

TEST_CASE("disk fault: an error or a read-only disk at any write is told as such and loses nothing") {
    const ScratchFolder folder;
    WatchedDisk disk;
    const std::string wanted = undisturbed(folder);
    const std::string broken = (folder / "고장.db").string();
    refuse_every_write(broken, disk, EIO, [](const Error& error) {
        CHECK(error.code == ErrorCode::kUnavailable);
        CHECK(error.reason == "disk_error");
    });
    compare(broken, wanted);
    const std::string read_only = (folder / "읽기만.db").string();
    refuse_every_write(read_only, disk, EROFS, [](const Error& error) {
        CHECK(error.code == ErrorCode::kUnavailable);
        CHECK(error.reason == "disk_read_only");
        CHECK_FALSE(error.hint.empty());
    });
    compare(read_only, wanted);
}

TEST_CASE("disk fault: a restart right after a refusal loses nothing that was acknowledged") {
    const ScratchFolder folder;
    WatchedDisk disk;
    const std::string wanted = undisturbed(folder);
    const std::string path = (folder / "nightshift.db").string();
    int refused = 0;
    for (const SessionStep& step : scripted_session(1)) {
        INFO(step.name);
        auto store = db::Store::open(path, "test");
        REQUIRE(store);
        const std::string before = fingerprint(path);
        // The last write of a commit is its sync: the worst moment, when all of it is in the log already.
        int writes = 0;
        for (bool has_failed = true; has_failed; ++writes) {
            REQUIRE(writes < kWritesMax);
            disk.fail_from(writes + 1, EIO);
            REQUIRE((*store)->begin());
            Status answer = step.change(**store);
            if (answer) answer = (*store)->commit();
            has_failed = disk.has_failed();
            if (!has_failed) REQUIRE(answer);
            if (answer) break;
            // Closed while the disk still refuses, as by a crash: nothing is tidied up.
            store->reset();
            disk.heal();
            ++refused;
            store = db::Store::open(path, "test");
            REQUIRE(store);
            if (fingerprint(path) == before) continue;
            // Refused, but whole in the log: it may be there, as after a lost answer.
            break;
        }
        disk.heal();
        REQUIRE((*store)->self_check()->empty());
    }
    CHECK(refused > 100);
    CHECK(fingerprint(path) == wanted);
}
