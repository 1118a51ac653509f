#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "tests/db/store_fixture.h"

using namespace nightshift;
using namespace nightshift::tests;

TEST_CASE("storage: durable settings are in force") {
    StoreFixture f;
    CHECK(*f.connection().scalar("PRAGMA synchronous") == 2);
    CHECK(*f.connection().scalar("PRAGMA foreign_keys") == 1);
    CHECK(*f.connection().scalar("PRAGMA wal_autocheckpoint") == 0);
    CHECK(*f.connection().scalar("PRAGMA application_id") == db::kApplicationId);
    CHECK(*f.connection().scalar("SELECT journal_mode = 'wal' FROM pragma_journal_mode") == 1);
}

TEST_CASE("storage: opening waits for somebody who is repairing the log of a killed daemon") {
    StoreFixture f;
    f.store.reset();
    sqlite3* other = nullptr;
    REQUIRE(sqlite3_open(f.path.c_str(), &other) == SQLITE_OK);
    // What a repair looks like from outside: nobody else gets at the file, for a moment.
    REQUIRE(sqlite3_exec(other, "PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE", nullptr, nullptr, nullptr) ==
            SQLITE_OK);
    auto opening = std::async(std::launch::async, [&] { return db::Store::open(f.path, "test"); });
    CHECK(opening.wait_for(std::chrono::milliseconds(200)) == std::future_status::timeout);
    REQUIRE(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(other);
    auto opened = opening.get();
    REQUIRE(opened);
    CHECK((*opened)->begin());
    (*opened)->rollback();
}

TEST_CASE("storage: a file of a newer version is refused and not touched") {
    StoreFixture f;
    const JobId id = f.insert(f.spec());
    REQUIRE(f.connection().exec("PRAGMA user_version = 9999"));
    f.store.reset();
    const auto time = std::filesystem::last_write_time(f.path);
    const auto refused = db::Store::open(f.path, "test");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "schema_newer");
    CHECK(refused.error().code == ErrorCode::kConflict);
    CHECK(std::filesystem::last_write_time(f.path) == time);
    static_cast<void>(id);
}

TEST_CASE("storage: a file of another program, and one that is no database, are refused") {
    const ScratchFolder folder;
    const std::string other = (folder / "other.db").string();
    sqlite3* handle = nullptr;
    REQUIRE(sqlite3_open(other.c_str(), &handle) == SQLITE_OK);
    REQUIRE(sqlite3_exec(handle, "CREATE TABLE t (x)", nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(handle);
    const auto strange = db::Store::open(other, "test");
    REQUIRE_FALSE(strange);
    CHECK(strange.error().reason == "not_our_file");
    const std::string garbage = (folder / "garbage.db").string();
    std::ofstream(garbage) << std::string(8192, 'x');
    const auto damaged = db::Store::open(garbage, "test");
    REQUIRE_FALSE(damaged);
    CHECK(damaged.error().reason == "database_damaged");
}

TEST_CASE("storage: a full disk refuses new jobs, keeps the old ones, and recovers by itself") {
    StoreFixture f;
    const JobId kept = f.insert(f.spec("kept"));
    const auto pages = f.connection().scalar("PRAGMA page_count");
    REQUIRE(pages);
    const std::string limit = "PRAGMA max_page_count = " + std::to_string(*pages + 4);
    REQUIRE(f.connection().exec(limit.c_str()));
    JobSpec large = f.spec("large");
    large.params_json = "{\"text\":\"" + std::string(200'000, 'x') + "\"}";
    REQUIRE(f.store->begin());
    REQUIRE(f.store->savepoint());
    const auto refused = f.store->insert_job(large, "", {}, {}, 10, kNow, kEvent);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kExhausted);
    CHECK(refused.error().reason == "disk_low");
    f.store->rollback_to_savepoint();
    f.store->rollback();
    CHECK(f.get(kept).spec.name == "kept");
    f.check_sound();
    REQUIRE(f.connection().exec("PRAGMA max_page_count = 1000000"));
    const JobId later = f.insert(large);
    f.reopen();
    CHECK(f.get(kept).spec.name == "kept");
    CHECK(f.get(later).spec.params_json.size() == large.params_json.size());
    f.check_sound();
}

TEST_CASE("storage: a second writer is told that the database is busy") {
    StoreFixture f;
    auto other = f.open();
    REQUIRE(f.store->begin());
    const Status busy = other->begin();
    REQUIRE_FALSE(busy);
    CHECK(busy.error().reason == "database_busy");
    f.store->rollback();
}

TEST_CASE("storage: readers see committed jobs while a transaction is open") {
    StoreFixture f;
    const JobId id = f.insert(f.spec("seen"));
    auto queries = db::open_queries(f.path);
    REQUIRE(queries);
    REQUIRE(f.store->begin());
    const auto hidden = f.store->insert_job(f.spec("not yet"), "", {}, {}, 10, kNow, kEvent);
    REQUIRE(hidden);
    REQUIRE((*queries)->job(id)->has_value());
    CHECK_FALSE((*queries)->job(*hidden)->has_value());
    REQUIRE(f.store->commit());
    CHECK((*queries)->job(*hidden)->has_value());
    REQUIRE(f.store->checkpoint_wal());
    CHECK((*queries)->job(*hidden)->has_value());
}
