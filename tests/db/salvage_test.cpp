#include "db/salvage.h"

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
