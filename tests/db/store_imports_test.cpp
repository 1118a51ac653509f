#include "db/queries.h"
#include "tests/db/store_fixture.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

db::ImportedLine job(std::int64_t id, std::int64_t version = 1, const std::string& name = "남의 일",
                     const std::string& origin = "other") {
    const std::string object = R"({"type":"job","id":)" + std::to_string(id) + R"(,"name":")" + name + "\"}";
    return {origin, "job", "", id, version, object, {}};
}

struct ImportFixture : StoreFixture {
    std::unique_ptr<db::Queries> queries = std::move(*db::open_queries(path));

    std::int64_t begin() const {
        const auto id = commit([&] { return store->begin_import("other", "tester"); });
        REQUIRE(id);
        return *id;
    }
    void add(std::int64_t import, const std::vector<db::ImportedLine>& lines,
             db::ImportCounts& counts) const {
        const Status added = commit([&]() -> Status {
            for (const db::ImportedLine& line : lines)
                NIGHTSHIFT_TRY(store->add_imported(import, line, counts));
            return {};
        });
        REQUIRE_MESSAGE(added, (added ? "" : added.error().message));
    }
    void finish(std::int64_t import, const db::ImportCounts& counts, UnixMs now = kNow) const {
        const Status done = commit([&] {
            return store->finish_import(import, "chain", counts, now,
                                        {"queue", "history_imported", "t", "{}"});
        });
        REQUIRE_MESSAGE(done, (done ? "" : done.error().message));
    }
    db::ImportCounts import(const std::vector<db::ImportedLine>& lines, UnixMs now = kNow) const {
        db::ImportCounts counts;
        const std::int64_t id = begin();
        add(id, lines, counts);
        finish(id, counts, now);
        return counts;
    }
    std::vector<std::string> seen(const std::string& type = "job",
                                  const std::string& origin = "other") const {
        std::vector<std::string> objects;
        db::ImportedLine last{origin, type, "", -1, 0, "", {}};
        for (;;) {
            const auto found = queries->imported_after(last, 2);
            REQUIRE(found);
            if (found->empty()) return objects;
            for (const db::ImportedLine& line : *found) objects.push_back(line.object);
            last = found->back();
        }
    }
    std::int64_t count(const char* sql) const { return *connection().scalar(sql); }
};

}  // namespace

TEST_CASE("imports: nothing is seen before the end, everything after it, line by line as it came") {
    ImportFixture f;
    const std::int64_t id = f.begin();
    db::ImportCounts counts;
    f.add(id, {job(1), job(2), job(30)}, counts);
    f.add(id,
          {{"other",
            "fire",
            "밤\x01"
            "2026",
            0,
            0,
            "{fire}",
            {}},
           {"other", "unreadable", "jobs", 7, 0, "{gap}", {}}},
          counts);
    CHECK(counts.added == 5);
    CHECK(f.seen().empty());
    CHECK(f.queries->imported_origins()->empty());
    CHECK(f.queries->imports(10)->empty());
    f.finish(id, counts);
    CHECK(f.seen() == std::vector<std::string>{job(1).object, job(2).object, job(30).object});
    CHECK(f.seen("fire") == std::vector<std::string>{"{fire}"});
    CHECK(f.seen("unreadable") == std::vector<std::string>{"{gap}"});
    CHECK(*f.queries->imported_origins() == std::vector<std::string>{"other"});
    const auto newest = f.queries->imported_jobs("other", 30, 1);
    REQUIRE(newest->size() == 1);
    CHECK(newest->front().number == 2);
    CHECK(newest->front().imported_at == kNow);
    const auto imports = f.queries->imports(10);
    REQUIRE(imports->size() == 1);
    CHECK(imports->front().added == 5);
    CHECK(imports->front().chain == "chain");
    f.check_sound();
}

TEST_CASE("imports: the same again changes nothing, a newer version replaces, an older one does not") {
    ImportFixture f;
    f.import({job(1), job(2, 5)});
    const std::int64_t events = f.count("SELECT COUNT(*) FROM event");
    const db::ImportCounts again = f.import({job(1), job(2, 5)});
    CHECK(again.same == 2);
    CHECK(again.added + again.replaced == 0);
    CHECK(f.queries->imports(10)->size() == 1);
    CHECK(f.count("SELECT COUNT(*) FROM event") == events);
    const db::ImportCounts mixed = f.import({job(1, 2, "새 이름"), job(2, 4, "옛 이름"), job(3)});
    CHECK(mixed.replaced == 1);
    CHECK(mixed.older == 1);
    CHECK(mixed.added == 1);
    CHECK(f.seen() == std::vector<std::string>{job(1, 2, "새 이름").object, job(2).object, job(3).object});
}

TEST_CASE("imports: databases are kept apart, and a job of this one stays the one it is") {
    ImportFixture f;
    const JobId own = f.insert(f.spec());
    const std::string here = *f.queries->database_id();
    CHECK(f.import({job(1), job(1, 1, "a", "third")}).added == 2);
    const db::ImportCounts counts =
        f.import({job(own.value, 9, "x", here), job(own.value + 50, 1, "lost", here)});
    CHECK(counts.own == 1);
    CHECK(counts.added == 1);
    CHECK(f.seen("job", "third").size() == 1);
    CHECK(f.seen("job", here).size() == 1);
    CHECK(f.get(own).spec.name == f.spec().name);
    CHECK(f.queries->jobs({})->jobs.size() == 1);
    CHECK(f.count("SELECT SUM(count) FROM tally") == 1);
}

TEST_CASE("imports: no plan is made because of one") {
    ImportFixture f;
    f.insert(f.spec());
    const std::int64_t version = f.store->planning_version();
    f.import({job(1), job(2)});
    db::ImportCounts counts;
    f.add(f.begin(), {job(3)}, counts);
    CHECK(f.commit([&] { return f.store->sweep_imports(0, 10); }));
    CHECK(f.store->planning_version() == version);
}

TEST_CASE("imports: what was not finished is swept away, a little at a time, all but the one under way") {
    ImportFixture f;
    db::ImportCounts counts;
    f.import({job(100)});
    const std::int64_t left = f.begin();
    std::vector<db::ImportedLine> lines;
    for (int i = 1; i <= 25; ++i) lines.push_back(job(i));
    f.add(left, lines, counts);
    const std::int64_t current = f.begin();
    f.add(current, {job(50)}, counts);
    f.reopen();
    const auto sweep = [&] {
        const auto is_done = f.commit([&] { return f.store->sweep_imports(current, 10); });
        REQUIRE(is_done);
        return *is_done;
    };
    CHECK_FALSE(sweep());
    CHECK(f.count("SELECT COUNT(*) FROM imported_line") == 17);
    CHECK_FALSE(sweep());
    CHECK(sweep());
    CHECK(f.count("SELECT COUNT(*) FROM imported_line") == 2);
    CHECK(f.count("SELECT COUNT(*) FROM history_import") == 2);
    // The one that was given up cannot be finished any more.
    const Status late = f.commit([&] { return f.store->finish_import(left, "chain", counts, kNow, kEvent); });
    REQUIRE_FALSE(late);
    CHECK(late.error().reason == "import_gone");
    CHECK(f.seen() == std::vector<std::string>{job(100).object});
    f.check_sound();
}

TEST_CASE("imports: retention counts from the import, whatever the jobs' age") {
    ImportFixture f;
    f.import({job(1), job(2), job(3)}, kNow);
    f.import({job(4)}, kNow + hours(5));
    CHECK(f.commit([&] { return f.store->prune(kNow + hours(1), kNow + hours(1), 100); }));
    CHECK(f.seen().size() == 4);
    CHECK(f.commit([&] { return f.store->prune_imports(kNow, 100); }));
    CHECK(f.seen().size() == 4);
    CHECK(f.commit([&] { return f.store->prune_imports(kNow + hours(1), 2); }));
    CHECK(f.seen().size() == 2);
    CHECK(f.commit([&] { return f.store->prune_imports(kNow + hours(1), 2); }));
    CHECK(f.seen() == std::vector<std::string>{job(4).object});
    CHECK(f.queries->imports(10)->size() == 1);
}

TEST_CASE("imports: a line that was imported is never changed") {
    ImportFixture f;
    f.import({job(1)});
    CHECK_FALSE(f.connection().exec("UPDATE imported_line SET object = '{}'"));
}
