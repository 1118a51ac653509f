#include "daemon/loop.h"

#include <doctest/doctest.h>

#include "daemon/system_clock.h"
#include "db/sqlite_store.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::daemon;

namespace {

const db::EventText kEvent{"job", "submitted", "test", "{}"};

struct LoopFixture {
    tests::ScratchFolder folder;
    boost::asio::io_context io;
    SystemClock clock;
    SystemAlarms alarms{io};
    std::unique_ptr<db::Store> store;
    std::unique_ptr<Loop> loop;

    LoopFixture() {
        auto opened = db::Store::open((folder / "nightshift.db").string(), "test");
        REQUIRE(opened);
        store = std::move(*opened);
        loop = std::make_unique<Loop>(io, *store, clock, alarms);
    }
    db::Connection& connection() const { return dynamic_cast<db::SqliteStore&>(*store).connection(); }
    Change insert(std::vector<Status>& answers, std::size_t params_bytes = 2) const {
        return {[params_bytes](db::Store& open, UnixMs now) -> Status {
                    JobSpec spec;
                    spec.name = "일";
                    spec.kind = "sleep";
                    spec.params_json = std::string(params_bytes, ' ');
                    const auto id = open.insert_job(spec, "", {}, {}, 100, now, kEvent);
                    if (!id) return id.error();
                    return {};
                },
                [&answers](const Status& stored) { answers.push_back(stored); }, false};
    }
    /// Runs what is ready and the timers that are due, not the waiting ones.
    void run() {
        io.restart();
        io.poll();
    }
};

}  // namespace

TEST_CASE("loop: everything that waits shares one commit, and answers come after it") {
    LoopFixture f;
    int published = 0;
    std::vector<Status> answers;
    const auto handle = f.loop->events().subscribe([&](const EventHub::Record& record) {
        ++published;
        CHECK(record.seq.value == published);
        CHECK_FALSE(f.store->in_transaction());
    });
    for (int i = 0; i < 10; ++i) f.loop->change(f.insert(answers));
    CHECK(answers.empty());
    f.run();
    CHECK(answers.size() == 10);
    CHECK(published == 10);
    for (const Status& answer : answers) CHECK(answer);
}

TEST_CASE("loop: a refused change leaves the others of its transaction alone") {
    LoopFixture f;
    std::vector<Status> answers;
    f.loop->change(f.insert(answers));
    f.loop->change({[](db::Store& store, UnixMs now) -> Status {
                        JobSpec spec;
                        spec.kind = "sleep";
                        const auto id = store.insert_job(spec, "", {}, {}, 100, now, kEvent);
                        REQUIRE(id);
                        return Error{ErrorCode::kConflict, "no", "Refused after it wrote.", "", ""};
                    },
                    [&](const Status& stored) { answers.push_back(stored); }, false});
    f.loop->change(f.insert(answers));
    f.run();
    REQUIRE(answers.size() == 3);
    CHECK(answers[0]);
    CHECK_FALSE(answers[1]);
    CHECK(answers[2]);
    CHECK(f.store->job({2})->has_value());
    CHECK_FALSE(f.store->job({3})->has_value());
}

TEST_CASE("loop: a full disk refuses requests, keeps facts, and both work again with room") {
    LoopFixture f;
    std::vector<Status> answers;
    f.loop->change(f.insert(answers));
    f.run();
    const std::string limit =
        "PRAGMA max_page_count = " + std::to_string(*f.connection().scalar("PRAGMA page_count") + 2);
    REQUIRE(f.connection().exec(limit.c_str()));
    std::vector<Status> neighbours;
    f.loop->change(f.insert(neighbours));
    f.loop->change(f.insert(answers, 200'000));
    std::vector<Status> facts;
    Change fact = f.insert(facts, 200'000);
    fact.must_happen = true;
    f.loop->change(std::move(fact));
    f.run();
    REQUIRE(answers.size() == 2);
    REQUIRE_FALSE(answers[1]);
    CHECK(answers[1].error().reason == "disk_low");
    CHECK(facts.empty());  // not given up
    CHECK(f.store->job({1})->has_value());
    REQUIRE(f.connection().exec("PRAGMA max_page_count = 1000000"));
    f.loop->flush();
    REQUIRE(facts.size() == 1);
    CHECK(facts[0]);
    f.loop->change(f.insert(answers, 200'000));
    f.run();
    REQUIRE(answers.size() == 3);
    CHECK(answers[2]);
    const auto broken = f.store->self_check();
    REQUIRE(broken);
    CHECK(broken->empty());
}

namespace {

/// Room of a pretended disk.
struct FakeReserve : Reserve {
    bool has_room = true, is_there = false;
    int given_up = 0;
    bool take_back() override {
        if (has_room) is_there = true;
        return is_there;
    }
    void give_up() override {
        is_there = false;
        ++given_up;
        on_give_up();
    }
    std::function<void()> on_give_up = [] {};
};

}  // namespace

TEST_CASE("loop: on a full disk the reserve goes to ends and cancels, and nothing else is let in") {
    LoopFixture f;
    FakeReserve reserve;
    f.loop->set_reserve(reserve);
    std::vector<Status> answers;
    f.loop->change(f.insert(answers));
    f.run();
    const auto limit_pages = [&f](std::int64_t more) {
        const std::string pragma =
            "PRAGMA max_page_count = " + std::to_string(*f.connection().scalar("PRAGMA page_count") + more);
        REQUIRE(f.connection().exec(pragma.c_str()));
    };
    limit_pages(2);
    reserve.has_room = false;
    reserve.on_give_up = [&] { limit_pages(500); };
    std::vector<Status> facts, cancels;
    Change fact = f.insert(facts, 100'000);
    fact.must_happen = true;
    f.loop->change(std::move(fact));
    f.run();
    CHECK(reserve.given_up == 1);
    CHECK(f.loop->is_disk_low());
    REQUIRE(facts.size() == 1);  // stored at once, from the reserve
    CHECK(facts[0]);
    f.loop->change(f.insert(answers));
    Change cancel = f.insert(cancels);
    cancel.uses_reserve = true;
    f.loop->change(std::move(cancel));
    f.run();
    REQUIRE(answers.size() == 2);
    REQUIRE_FALSE(answers[1]);
    CHECK(answers[1].error().reason == "disk_low");
    REQUIRE(cancels.size() == 1);
    CHECK(cancels[0]);
    reserve.has_room = true;
    f.loop->change(f.insert(answers));
    f.run();
    CHECK_FALSE(f.loop->is_disk_low());
    REQUIRE(answers.size() == 3);
    CHECK(answers[2]);
    CHECK(reserve.given_up == 1);
}

TEST_CASE("ballast: holds real blocks, goes when it is given up, comes back") {
    const tests::ScratchFolder folder;
    const auto path = folder / "ballast";
    Ballast ballast(path.string(), mebibytes(1));
    REQUIRE(ballast.take_back());
    CHECK(std::filesystem::file_size(path) == 1024 * 1024);
    const auto time = std::filesystem::last_write_time(path);
    CHECK(ballast.take_back());
    CHECK(std::filesystem::last_write_time(path) == time);
    std::filesystem::resize_file(path, 0);
    std::filesystem::resize_file(path, 1024 * 1024);  // sparse: holds nothing back
    REQUIRE(ballast.take_back());
    ballast.give_up();
    CHECK_FALSE(std::filesystem::exists(path));
    CHECK(ballast.take_back());
    Ballast too_large((folder / "too large").string(), gibibytes(1 << 20));
    CHECK_FALSE(too_large.take_back());
    CHECK_FALSE(std::filesystem::exists(folder / "too large"));
}

TEST_CASE("loop: a listener that is gone hears nothing") {
    LoopFixture f;
    int heard = 0;
    std::vector<Status> answers;
    auto handle = f.loop->events().subscribe([&](const EventHub::Record&) { ++heard; });
    CHECK(f.loop->events().has_listeners());
    handle.reset();
    CHECK_FALSE(f.loop->events().has_listeners());
    f.loop->change(f.insert(answers));
    f.run();
    CHECK(heard == 0);
}

namespace {

/// Notes in which ticks it was asked to look beyond what is stored.
struct Watcher final : TickStage {
    explicit Watcher(Loop& owner) : loop(owner) { owner.add_stage(*this); }
    Status decide(db::Store&, UnixMs) override {
        looks.push_back(loop.is_looking());
        if (wants_more) loop.wake();
        wants_more = false;
        return {};
    }
    void act() override {}
    void forget() override {}
    std::optional<UnixMs> next_wakeup() const override { return std::nullopt; }

    Loop& loop;
    std::vector<bool> looks;
    bool wants_more = false;
};

}  // namespace

TEST_CASE("loop: a stage looks further in its first tick and when somebody asks, not for every change") {
    LoopFixture f;
    Watcher watcher(*f.loop);
    std::vector<Status> answers;
    f.loop->change(f.insert(answers));
    f.run();
    f.loop->change(f.insert(answers));
    f.run();
    CHECK(watcher.looks == std::vector<bool>{true, false});
    f.loop->wake();
    f.run();
    watcher.wants_more = true;
    f.loop->change(f.insert(answers));
    f.run();
    // The wish of a tick is met by the next one.
    CHECK(watcher.looks == std::vector<bool>{true, false, true, false, true});
}

TEST_CASE("loop: the log is moved into the database by its size, however many changes a commit has") {
    LoopFixture f;
    std::vector<Status> answers;
    std::int64_t largest = 0;
    for (int i = 0; i < 40; ++i) {
        f.loop->change(f.insert(answers, 1'000'000));
        f.run();
        largest = std::max(largest, f.store->wal_pages());
    }
    CHECK(answers.size() == 40);
    // Forty megabytes went through it; what stays is one limit of 16 MiB and one commit at most.
    CHECK(largest > 1000);
    CHECK(largest < 4096 + 600);
}
