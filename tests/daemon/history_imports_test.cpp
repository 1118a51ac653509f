#include "daemon/history_imports.h"

#include <doctest/doctest.h>

#include "db/store.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::daemon;

namespace {

constexpr UnixMs kNow{1'790'000'000'000};

struct FixedClock final : Clock {
    UnixMs now() const override { return kNow; }
    Millis steady() const override { return Millis{kNow.value}; }
};

using IntakePtr = std::shared_ptr<api::HistoryIntake>;

struct ImportsFixture {
    tests::ScratchFolder folder;
    boost::asio::io_context io;
    FixedClock clock;
    SystemAlarms alarms{io};
    std::string path = (folder / "nightshift.db").string();
    std::unique_ptr<db::Store> store = std::move(*db::Store::open(path, "test"));
    std::unique_ptr<db::Queries> queries = std::move(*db::open_queries(path));
    Loop loop{io, *store, clock, alarms};
    HistoryImports imports{loop};

    Result<IntakePtr> begin() {
        Result<IntakePtr> begun = Error{};
        imports.begin("other", "tester", [&](Result<IntakePtr> reply) { begun = std::move(reply); });
        loop.flush();
        return begun;
    }
    Status add(const IntakePtr& intake, std::int64_t from, std::int64_t to) {
        std::vector<db::ImportedLine> lines;
        for (std::int64_t id = from; id <= to; ++id) lines.push_back({"other", "job", "", id, 1, "{}", {}});
        Status added = Error{};
        intake->add(std::move(lines), [&](const Status& reply) { added = reply; });
        loop.flush();
        return added;
    }
    Result<db::ImportCounts> finish(const IntakePtr& intake) {
        Result<db::ImportCounts> counts = Error{};
        intake->finish("chain", [&](const Result<db::ImportCounts>& reply) { counts = reply; });
        loop.flush();
        return counts;
    }
    std::size_t seen() const { return queries->imported_jobs("other", INT64_MAX, 200)->size(); }
};

}  // namespace

TEST_CASE("history imports: portions add up, and are seen when the last one is there") {
    ImportsFixture f;
    auto intake = f.begin();
    REQUIRE(intake);
    REQUIRE(f.add(*intake, 1, 3));
    REQUIRE(f.add(*intake, 4, 5));
    CHECK(f.seen() == 0);
    const auto counts = f.finish(*intake);
    REQUIRE(counts);
    CHECK(counts->added == 5);
    CHECK(f.seen() == 5);
}

TEST_CASE("history imports: one at a time") {
    ImportsFixture f;
    auto first = f.begin();
    REQUIRE(first);
    const auto second = f.begin();
    REQUIRE_FALSE(second);
    CHECK(second.error().reason == "import_busy");
    REQUIRE(f.add(*first, 1, 2));
    REQUIRE(f.finish(*first));
    first = Error{};
    CHECK(f.begin());
}

TEST_CASE("history imports: one that is given up leaves nothing, whatever its length") {
    ImportsFixture f;
    {
        auto intake = f.begin();
        REQUIRE(intake);
        REQUIRE(f.add(*intake, 1, 2500));
    }
    for (int tick = 0; tick < 3; ++tick) f.loop.flush();  // a thousand lines in each
    REQUIRE(f.store->begin());
    // Nothing was left to sweep: the next one has all room for itself.
    CHECK(*f.store->sweep_imports(0, 1));
    f.store->rollback();
    auto again = f.begin();
    REQUIRE(again);
    REQUIRE(f.add(*again, 1, 1));
    CHECK(f.finish(*again)->added == 1);
}

TEST_CASE("history imports: the start sweeps what a crash left, and not what comes in meanwhile") {
    ImportsFixture f;
    REQUIRE(f.store->begin());
    db::ImportCounts counts;
    const auto left = f.store->begin_import("other", "tester");
    for (std::int64_t id = 1; id <= 1500; ++id) {
        REQUIRE(f.store->add_imported(*left, {"other", "job", "", id, 1, "{}", {}}, counts));
    }
    REQUIRE(f.store->commit());
    f.imports.sweep();
    auto intake = f.begin();
    REQUIRE(intake);
    REQUIRE(f.add(*intake, 1, 2));
    REQUIRE(f.finish(*intake));
    CHECK(f.seen() == 2);
    REQUIRE(f.store->begin());
    CHECK(*f.store->sweep_imports(0, 1));
    f.store->rollback();
}
