#include <cstdlib>
#include <fstream>
#include <random>

#include "tests/db/crash_images.h"
#include "tests/db/scripted_session.h"
#include "tests/db/store_fixture.h"
#include "tests/support/seed.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

/// What was acknowledged, and what the disk had been told until then.
struct Acknowledged {
    std::size_t steps = 0;
    std::string content;
};

struct Record {
    std::vector<DiskStep> steps;
    std::vector<Acknowledged> acknowledged;  ///< in order; the first is the open database
};

/// Runs the session on a watched disk. `weakened`: a pragma that takes durability away.
Record run_session(const std::string& path, WatchedDisk& disk, int rounds, const char* weakened = nullptr) {
    Record record;
    disk.record(true);
    auto store = db::Store::open(path, "test");
    REQUIRE(store);
    if (weakened != nullptr) REQUIRE(dynamic_cast<db::SqliteStore&>(**store).connection().exec(weakened));
    const auto acknowledge = [&] {
        const std::size_t steps = disk.steps().size();
        disk.record(false);
        record.acknowledged.push_back({steps, fingerprint(path)});
        disk.record(true);
    };
    acknowledge();
    for (const SessionStep& step : scripted_session(rounds)) {
        INFO(step.name);
        REQUIRE((*store)->begin());
        const Status changed = step.change(**store);
        REQUIRE_MESSAGE(changed, (changed ? "" : changed.error().message));
        REQUIRE((*store)->commit());
        (*store)->take_new_events();
        acknowledge();
        if (step.moves_wal_after) REQUIRE((*store)->checkpoint_wal());
    }
    disk.record(false);
    store->reset();
    record.steps = disk.steps();
    return record;
}

void write_image(const DiskImage& image, const std::filesystem::path& folder) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    for (const auto& [path, content] : image) {
        std::ofstream file(folder / std::filesystem::path(path).filename(), std::ios::binary);
        file.write(content.data(), static_cast<std::streamsize>(content.size()));
    }
}

/// Opens what the power loss left with the real store. Returns its content, empty when it is damaged.
std::string recover(const std::string& path, std::string& damage) {
    auto opened = db::Store::open(path, "test");
    if (!opened) {
        damage = opened.error().message;
        return {};
    }
    db::Connection& connection = dynamic_cast<db::SqliteStore&>(**opened).connection();
    const auto faults =
        connection.scalar("SELECT COUNT(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'");
    if (!faults || *faults != 0) damage = "integrity_check";
    const auto broken = (*opened)->self_check();
    if (!broken) damage = broken.error().message;
    if (broken && !broken->empty()) damage = broken->front();
    return fingerprint(path);
}

/// The recovered database takes on work again, and keeps it.
bool goes_on(const std::string& path) {
    JobId id;
    {
        auto store = db::Store::open(path, "test");
        REQUIRE(store);
        REQUIRE((*store)->begin());
        const auto added =
            (*store)->insert_job(StoreFixture::spec("뒤"), "", {}, {}, 1'000'000, kNow, kEvent);
        REQUIRE(added);
        id = *added;
        REQUIRE((*store)->commit());
    }
    auto store = db::Store::open(path, "test");
    REQUIRE(store);
    return (*store)->job(id)->has_value();
}

struct Verdict {
    int images = 0, boundaries = 0, lost = 0, damaged = 0;
    std::string first_words;
};

Verdict judge(const Record& record, const std::filesystem::path& folder, int of_each, std::uint64_t seed) {
    Verdict verdict;
    std::mt19937_64 random(seed);
    CrashImages crashes(record.steps);
    std::size_t next = 0;  // the first that was not acknowledged yet
    while (crashes.next_sync()) {
        ++verdict.boundaries;
        while (next < record.acknowledged.size() && record.acknowledged[next].steps <= crashes.step()) ++next;
        for (const Loss loss : kLosses) {
            const bool is_fixed = loss == Loss::kNone || loss == Loss::kAll;
            for (int i = 0; i < (is_fixed ? 1 : of_each); ++i) {
                ++verdict.images;
                write_image(crashes.image(loss, random), folder);
                std::string damage;
                const std::string path = (folder / "nightshift.db").string();
                const std::string found = recover(path, damage);
                // Opening makes an empty database of what had not come into being.
                const bool is_last = next > 0 && found == record.acknowledged[next - 1].content;
                const bool is_next =
                    next < record.acknowledged.size() && found == record.acknowledged[next].content;
                if (damage.empty() && (is_last || is_next)) continue;
                ++(damage.empty() ? verdict.lost : verdict.damaged);
                if (!verdict.first_words.empty()) continue;
                verdict.first_words = "at step " + std::to_string(crashes.step()) + " of " +
                                      std::to_string(record.steps.size()) + ", " + to_string(loss) + ": " +
                                      (damage.empty() ? "not what was acknowledged" : damage);
            }
        }
        if (verdict.boundaries % 16 == 0) CHECK(goes_on((folder / "nightshift.db").string()));
    }
    return verdict;
}

int images_of_each() {
    // The long run of the check sets it.
    const char* text = std::getenv("NIGHTSHIFT_POWER_LOSS_IMAGES");
    return text != nullptr ? std::atoi(text) : 1;
}

}  // namespace

TEST_CASE("power loss: at every sync, whatever became of unsynced writes, what was acknowledged is there") {
    const ScratchFolder folder;
    WatchedDisk disk;
    const Record record = run_session((folder / "nightshift.db").string(), disk, 3);
    const Verdict verdict = judge(record, folder / "그림", images_of_each(), seed());
    MESSAGE(verdict.images << " images at " << verdict.boundaries << " syncs of "
                           << record.acknowledged.size() << " transactions, " << record.steps.size()
                           << " disk steps");
    CHECK_MESSAGE(verdict.lost + verdict.damaged == 0,
                  verdict.lost << " lost, " << verdict.damaged << " damaged, first " << verdict.first_words);
    CHECK(verdict.images >= 500);
    CHECK(verdict.boundaries > static_cast<int>(record.acknowledged.size()));
}

TEST_CASE("power loss: the images show what a weaker setting would lose") {
    const ScratchFolder folder;
    WatchedDisk disk;
    const Record record =
        run_session((folder / "nightshift.db").string(), disk, 1, "PRAGMA synchronous = NORMAL");
    const Verdict verdict = judge(record, folder / "그림", 1, seed());
    CHECK(verdict.lost > 0);
    CHECK(verdict.damaged == 0);
}
