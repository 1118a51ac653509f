#include <cstdlib>
#include <filesystem>

#include "db/backup.h"
#include "db/migrate.h"
#include "tests/db/scripted_session.h"
#include "tests/db/store_fixture.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

namespace fs = std::filesystem;

/// Databases as released versions left them: schema-N.db, never changed once N is released.
fs::path golden_folder() {
    return fs::path(NIGHTSHIFT_SOURCE_FOLDER) / "tests/data/golden/db";
}

std::int64_t count(db::Store& store, const char* sql) {
    const auto value = dynamic_cast<db::SqliteStore&>(store).connection().scalar(sql);
    REQUIRE_MESSAGE(value, (value ? "" : value.error().message));
    return *value;
}

/// Writes the database of the present schema: for the moment before a release, when it changes in place.
void make_golden(const fs::path& to) {
    const ScratchFolder folder;
    const std::string path = (folder / "nightshift.db").string();
    {
        auto store = db::Store::open(path, "golden");
        REQUIRE(store);
        for (const SessionStep& step : scripted_session(1)) {
            REQUIRE((*store)->begin());
            REQUIRE(step.change(**store));
            REQUIRE((*store)->commit());
        }
    }
    fs::create_directories(to.parent_path());
    fs::remove(to);
    REQUIRE(db::back_up(path, to.string()));
}

}  // namespace

TEST_CASE("golden: every stored database opens, and holds what it held") {
    if (std::getenv("NIGHTSHIFT_MAKE_GOLDEN") != nullptr) {
        make_golden(golden_folder() / ("schema-" + std::to_string(db::schema_version()) + ".db"));
    }
    int opened = 0;
    for (int version = 1; version <= db::schema_version(); ++version) {
        const fs::path golden = golden_folder() / ("schema-" + std::to_string(version) + ".db");
        INFO(golden.string());
        REQUIRE_MESSAGE(fs::exists(golden),
                        "make it with NIGHTSHIFT_MAKE_GOLDEN=1 nightshift_db_tests "
                        "-tc=golden*, before the release of this schema");
        const ScratchFolder folder;
        const std::string path = (folder / "옛 nightshift.db").string();
        fs::copy_file(golden, path);
        auto store = db::Store::open(path, "test");
        REQUIRE_MESSAGE(store, (store ? "" : store.error().message));
        const auto broken = (*store)->self_check();
        REQUIRE_MESSAGE(broken, "the schema changed in place: make the file again (see above)");
        for (const std::string& line : *broken) FAIL_CHECK(line);
        CHECK(count(**store, "SELECT COUNT(*) FROM job") == 16);
        CHECK(count(**store, "SELECT COUNT(*) FROM attempt WHERE end_kind = 'ok'") == 1);
        const auto job = (*store)->job(JobId{1});
        REQUIRE_MESSAGE(job, (job ? "" : job.error().message));
        CHECK((*job)->spec.name == "첫째");
        CHECK((*job)->state == JobState::kSucceeded);
        REQUIRE((*store)->begin());
        CHECK((*store)->insert_job(StoreFixture::spec(), "", {}, {}, 1000, kNow, kEvent));
        REQUIRE((*store)->commit());
        ++opened;
    }
    CHECK(opened == db::schema_version());
}

TEST_CASE("golden: the newest stored database has the schema of this build") {
    const fs::path golden = golden_folder() / ("schema-" + std::to_string(db::schema_version()) + ".db");
    REQUIRE(fs::exists(golden));
    const auto schema_of = [](const std::string& path) {
        auto connection = db::Connection::open(path, db::Connection::Mode::kReader);
        REQUIRE(connection);
        std::string text;
        db::Statement rows(**connection, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name");
        REQUIRE(rows.each([&] { text += rows.text(0) + "\n"; }));
        return text;
    };
    const StoreFixture fresh;
    const ScratchFolder folder;
    const std::string copy = (folder / "golden.db").string();
    fs::copy_file(golden, copy);
    CHECK_MESSAGE(schema_of(copy) == schema_of(fresh.path),
                  "Not released yet: make the file again with NIGHTSHIFT_MAKE_GOLDEN=1. Released: the change "
                  "belongs into a new migration.");
}
