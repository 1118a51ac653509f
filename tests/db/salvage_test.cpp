#include "db/salvage.h"

#include <algorithm>
#include <fstream>

#include "tests/db/store_fixture.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

constexpr std::int64_t kPage = 4096;

/// Overwrites every n-th page of a table's b-tree below its root.
void damage_leaves(const std::string& path, const std::vector<std::int64_t>& pages) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    for (const std::int64_t page : pages) {
        file.seekp((page - 1) * kPage);
        file << std::string(kPage, '\x5a');
    }
}

}  // namespace

TEST_CASE("salvage: a damaged page costs its own jobs, all others are listed") {
    StoreFixture f;
    REQUIRE(f.store->begin());
    for (int i = 0; i < 400; ++i) {
        REQUIRE(f.store->insert_job(f.spec("일 " + std::to_string(i)), "", {}, {}, 1000, kNow, kEvent));
    }
    REQUIRE(f.store->commit());
    REQUIRE(f.connection().exec("PRAGMA wal_checkpoint(TRUNCATE)"));
    const auto page = f.connection().scalar(
        "SELECT pageno FROM dbstat WHERE name = 'job' AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET 3");
    REQUIRE(page);
    const std::int64_t damaged = *page;
    f.store.reset();
    damage_leaves(f.path, {damaged});
    auto plain = db::open_queries(f.path);
    REQUIRE(plain);
    db::JobFilter filter;
    filter.limit = 200;
    filter.before_id = 150;
    CHECK_FALSE((*plain)->jobs(filter));  // what the usual list does with it
    const std::vector<db::StoredToken> tokens{{std::string(64, 'a'), "admin", "file", {}}};
    auto salvage = db::open_salvage(f.path, tokens);
    REQUIRE(salvage);
    CHECK((*salvage)->tokens()->size() == 1);
    std::size_t found = 0;
    filter.before_id = 0;
    do {
        const auto list = (*salvage)->jobs(filter);
        REQUIRE(list);
        found += list->jobs.size();
        for (const Job& job : list->jobs) CHECK(job.spec.name == "일 " + std::to_string(job.id.value - 1));
        filter.before_id = list->next_before_id;
    } while (filter.before_id != 0);
    CHECK(found > 350);
    CHECK(found < 400);
}

TEST_CASE("salvage: what is no database at all is refused") {
    const ScratchFolder folder;
    const std::string garbage = (folder / "garbage.db").string();
    std::ofstream(garbage) << std::string(8192, 'x');
    const auto refused = db::open_salvage(garbage, {});
    REQUIRE_FALSE(refused);
    CHECK_FALSE(refused.error().hint.empty());
    CHECK_FALSE(db::open_salvage((folder / "none.db").string(), {}));
    CHECK_FALSE(std::filesystem::exists(folder / "none.db"));
}

TEST_CASE("salvage: a history names the jobs and the parts of jobs that cannot be read") {
    StoreFixture f;
    REQUIRE(f.store->begin());
    for (int i = 0; i < 400; ++i) {
        JobSpec spec = f.spec("일 " + std::to_string(i));
        spec.params_json = "{\"long\":\"" + std::string(300, 'x') + "\"}";
        REQUIRE(f.store->insert_job(spec, "", {}, {}, 1000, kNow, kEvent));
    }
    REQUIRE(f.store->commit());
    const std::string name = *db::open_queries(f.path).value()->database_id();
    REQUIRE(f.connection().exec("PRAGMA wal_checkpoint(TRUNCATE)"));
    const auto page_of = [&](const char* sql) { return f.connection().scalar(sql).value(); };
    const std::vector<std::int64_t> damaged{
        page_of("SELECT pageno FROM dbstat WHERE name = 'job' AND pagetype = 'leaf' ORDER BY path LIMIT 1 "
                "OFFSET 3"),
        page_of(
            "SELECT pageno FROM dbstat WHERE name = 'job_spec' AND pagetype = 'leaf' ORDER BY path LIMIT 1"),
        page_of(
            "SELECT pageno FROM dbstat WHERE name = 'event' AND pagetype = 'leaf' ORDER BY path DESC LIMIT "
            "1")};
    f.store.reset();
    damage_leaves(f.path, damaged);
    auto salvage = db::open_salvage(f.path, {});
    REQUIRE(salvage);
    CHECK(*(*salvage)->database_id() == name);
    std::size_t whole = 0, lost = 0, specless = 0, eventless = 0;
    for (JobId after;;) {
        const auto found = (*salvage)->finished_after(after, 50);
        REQUIRE(found);
        if (!found->next_after) break;
        after = found->next_after;
    }
    for (std::int64_t id = 1; id <= 400; ++id) {
        const auto history = (*salvage)->job_history(JobId{id});
        if (!history) {
            CHECK(history.error().code == ErrorCode::kCorrupt);
            ++lost;
            continue;
        }
        REQUIRE(history->has_value());
        CHECK((*history)->job.spec.name == "일 " + std::to_string(id - 1));
        const std::vector<std::string>& parts = (*history)->unreadable;
        if (parts.empty()) ++whole;
        if (std::find(parts.begin(), parts.end(), "spec") != parts.end()) ++specless;
        if (std::find(parts.begin(), parts.end(), "events") != parts.end()) ++eventless;
    }
    CHECK(lost > 0);
    CHECK(specless > 0);
    CHECK(eventless > 0);
    CHECK(whole > 200);
}

TEST_CASE("salvage: where not even the name of the database can be read, it is no other one's") {
    std::string names[2];
    for (std::string& name : names) {
        StoreFixture f;
        REQUIRE(f.connection().exec("PRAGMA wal_checkpoint(TRUNCATE)"));
        const std::int64_t page =
            f.connection().scalar("SELECT pageno FROM dbstat WHERE name = 'setting'").value();
        f.store.reset();
        damage_leaves(f.path, {page});
        auto salvage = db::open_salvage(f.path, {});
        REQUIRE(salvage);
        name = (*salvage)->database_id().value();
        CHECK(name.find("unreadable-") == 0);
        CHECK((*salvage)->database_id().value() == name);
    }
    CHECK(names[0] != names[1]);
}
