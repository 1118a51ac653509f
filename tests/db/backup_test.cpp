#include "db/backup.h"

#include <atomic>
#include <fstream>
#include <thread>

#include "tests/db/scripted_session.h"
#include "tests/db/store_fixture.h"

using namespace nightshift;
using namespace nightshift::tests;

TEST_CASE("backup: taken while jobs are submitted, it is one moment of the database, whole") {
    StoreFixture f;
    std::atomic<bool> is_stopping{false};
    std::atomic<int> stored{0};
    std::thread writer([&] {
        while (!is_stopping) {
            f.insert(f.spec("job " + std::to_string(stored)));
            ++stored;
            if (stored % 25 == 0) static_cast<void>(f.store->checkpoint_wal());
        }
    });
    for (int i = 0; i < 3; ++i) {
        while (stored < 40 * (i + 1)) std::this_thread::yield();
        const std::string copy = (f.folder / ("사본 " + std::to_string(i) + ".db")).string();
        const int before = stored;
        const Status done = db::back_up(f.path, copy);
        const int after = stored + 1;  // one may be stored and not yet counted
        REQUIRE_MESSAGE(done, (done ? "" : done.error().message));
        CHECK_FALSE(std::filesystem::exists(copy + "-wal"));
        auto opened = db::Store::open(copy, "test");
        REQUIRE(opened);
        CHECK((*opened)->self_check()->empty());
        const auto count =
            dynamic_cast<db::SqliteStore&>(**opened).connection().scalar("SELECT COUNT(*) FROM job");
        CHECK(*count >= before);
        CHECK(*count <= after);
    }
    is_stopping = true;
    writer.join();
    const std::string last = (f.folder / "마지막.db").string();
    REQUIRE(db::back_up(f.path, last));
    CHECK(fingerprint(last) == fingerprint(f.path));
    f.check_sound();
}

TEST_CASE("backup: files that are damaged, foreign, newer or missing are refused") {
    StoreFixture f;
    for (int i = 0; i < 300; ++i) f.insert(f.spec("job " + std::to_string(i)));
    const std::string copy = (f.folder / "copy.db").string();
    REQUIRE(db::back_up(f.path, copy));
    REQUIRE(db::verify_backup(copy));
    {
        std::fstream file(copy, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(copy)) / 2);
        file << std::string(6000, '\x7f');
    }
    const Status damaged = db::verify_backup(copy);
    REQUIRE_FALSE(damaged);
    CHECK(damaged.error().reason == "backup_damaged");
    const std::string text = (f.folder / "text.db").string();
    std::ofstream(text) << std::string(9000, 't');
    const Status foreign = db::verify_backup(text);
    REQUIRE_FALSE(foreign);
    CHECK(foreign.error().code == ErrorCode::kCorrupt);
    const std::string newer = (f.folder / "newer.db").string();
    REQUIRE(f.connection().exec("PRAGMA user_version = 9999"));
    const Status refused = db::back_up(f.path, newer);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "schema_newer");
    CHECK_FALSE(std::filesystem::exists(newer));
    CHECK_FALSE(db::verify_backup((f.folder / "none.db").string()));
}

TEST_CASE("backup: after a restore, ids that were given out later are not given out again") {
    StoreFixture f;
    f.insert(f.spec());
    f.store.reset();
    REQUIRE(db::reserve_job_ids(f.path, 41));
    REQUIRE(db::reserve_job_ids(f.path, 7));
    f.store = f.open();
    CHECK(f.insert(f.spec()) == JobId{42});
    f.check_sound();
}

TEST_CASE("files: a database that is deleted, moved or replaced is told, and never made anew") {
    StoreFixture f;
    const JobId id = f.insert(f.spec("kept"));
    const std::string aside = (f.folder / "aside.db").string();
    std::filesystem::rename(f.path, aside);
    const Status gone = f.store->begin();
    REQUIRE_FALSE(gone);
    CHECK(gone.error().reason == "database_replaced");
    CHECK(gone.error().code == ErrorCode::kUnavailable);
    CHECK_FALSE(std::filesystem::exists(f.path));
    std::filesystem::copy_file(aside, f.path);
    CHECK_FALSE(f.store->begin());  // the same content, but not the file that is written to
    std::filesystem::rename(aside, f.path);
    const JobId next = f.insert(f.spec("after it was put back"));
    f.reopen();
    CHECK(f.get(id).spec.name == "kept");
    CHECK(f.get(next).spec.name == "after it was put back");
    f.check_sound();
}

TEST_CASE("files: without its log a change is not acknowledged, and a restart finds all that was") {
    StoreFixture f;
    std::vector<JobId> kept;
    for (int i = 0; i < 20; ++i) kept.push_back(f.insert(f.spec("kept " + std::to_string(i))));
    REQUIRE(f.store->begin());
    REQUIRE(f.store->insert_job(f.spec("lost"), "", {}, {}, 100, kNow, kEvent));
    REQUIRE(std::filesystem::remove(f.path + "-wal"));
    const Status refused = f.store->commit();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "database_replaced");
    CHECK_FALSE(f.store->begin());
    // As after a kill: nothing of this process helps the next one.
    const std::string left = (f.folder / "left").string();
    std::filesystem::create_directory(left);
    std::filesystem::copy_file(f.path, left + "/nightshift.db");
    auto again = db::Store::open(left + "/nightshift.db", "test");
    REQUIRE(again);
    for (const JobId id : kept) CHECK((*again)->job(id)->has_value());
    CHECK((*again)->self_check()->empty());
}
