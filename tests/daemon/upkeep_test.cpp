#include "daemon/upkeep.h"

#include <doctest/doctest.h>

#include <fstream>

#include "db/store.h"
#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::daemon;

namespace {

namespace fs = std::filesystem;

constexpr UnixMs kNow{1'790'000'000'000};
const db::EventText kEvent{"job", "test", "tester", "{}"};

struct FixedClock final : Clock {
    UnixMs time = kNow;
    UnixMs now() const override { return time; }
    Millis steady() const override { return Millis{time.value}; }
};

struct UpkeepFixture {
    tests::ScratchFolder folder;
    boost::asio::io_context io;
    FixedClock clock;
    SystemAlarms alarms{io};
    std::unique_ptr<db::Store> store;
    std::unique_ptr<Loop> loop;
    std::unique_ptr<StorageKeeper> storage;
    std::unique_ptr<Upkeep> upkeep;
    Policy policy;

    UpkeepFixture() {
        const std::string path = (folder / "nightshift.db").string();
        auto opened = db::Store::open(path, "test");
        REQUIRE(opened);
        store = std::move(*opened);
        loop = std::make_unique<Loop>(io, *store, clock, alarms);
        storage = std::make_unique<StorageKeeper>(io, clock, path, (folder / "backup").string());
        upkeep = std::make_unique<Upkeep>(
            *loop, *storage, [this] { return policy; }, folder.path().string());
    }
    /// A job that ran once and left a log, a checkpoint and an output, and ended that long ago.
    JobId ended_job(Millis ago, JobId rerun_of = {}, bool is_ended = true) {
        const UnixMs at = kNow - ago;
        JobSpec spec;
        spec.kind = "sleep";
        REQUIRE(store->begin());
        const auto id = store->insert_job(spec, "", {}, rerun_of, 100, at, kEvent);
        REQUIRE(id);
        if (is_ended) {
            const AttemptId attempt{*id, 1};
            REQUIRE(store->grant(*id, "token-" + std::to_string(id->value), "host", Bytes{}, at, kEvent));
            REQUIRE(store->add_checkpoint({*id, 1, "x", 1, Bytes{1}, "sha", at}, at, kEvent));
            Transition transition;
            transition.state = JobState::kFailed;
            transition.end = AttemptEnd::kFailed;
            transition.outcome = Outcome{"failed", "", 1, {}, false};
            REQUIRE(store->end_attempt(attempt, transition, {}, {}, Bytes{}, at, kEvent));
            REQUIRE(store->release_lease(attempt));
        }
        REQUIRE(store->commit());
        store->take_new_events();
        for (const char* name : {"checkpoint", "output"}) fs::create_directories(attempt_of(*id) / name);
        for (const char* name : {"stdout.log", "progress.jsonl", "checkpoint/가중치", "output/결과"}) {
            std::ofstream(attempt_of(*id) / name) << "x";
        }
        return *id;
    }
    fs::path attempt_of(JobId id) const { return folder / ("jobs/" + std::to_string(id.value) + "/1"); }
    bool has(JobId id, const char* name) const { return fs::exists(attempt_of(id) / name); }
    void run() {
        upkeep->run();
        io.restart();
        io.poll();
    }
};

}  // namespace

TEST_CASE("upkeep: jobs, logs and checkpoints go by clocks of their own") {
    UpkeepFixture f;
    f.policy.retain_logs = hours(24 * 10);
    f.policy.retain_checkpoints = hours(24 * 20);
    f.policy.retain_jobs = hours(24 * 30);
    const JobId young = f.ended_job(hours(24 * 5));
    const JobId middle = f.ended_job(hours(24 * 15));
    const JobId old = f.ended_job(hours(24 * 25));
    const JobId ancient = f.ended_job(hours(24 * 35));
    f.run();
    CHECK(f.has(young, "stdout.log"));
    CHECK(f.has(young, "checkpoint/가중치"));
    CHECK_FALSE(f.has(middle, "stdout.log"));
    CHECK(f.has(middle, "checkpoint/가중치"));
    CHECK_FALSE(f.has(old, "stdout.log"));
    CHECK_FALSE(f.has(old, "checkpoint/가중치"));
    CHECK(f.has(old, "output/결과"));
    CHECK_FALSE((**f.store->job(old)).has_checkpoint);
    CHECK((**f.store->job(middle)).has_checkpoint);
    CHECK_FALSE(f.store->job(ancient)->has_value());
    f.run();  // the row went in the first round, so the folder may go
    CHECK_FALSE(fs::exists(f.attempt_of(ancient)));
    CHECK(f.store->self_check()->empty());
}

TEST_CASE("upkeep: what a waiting job goes on from is kept, however old") {
    UpkeepFixture f;
    f.policy.retain_checkpoints = f.policy.retain_jobs = hours(24);
    const JobId origin = f.ended_job(hours(24 * 100));
    const JobId rerun = f.ended_job(hours(24 * 50), origin, false);
    f.run();
    f.run();
    CHECK(f.has(origin, "checkpoint/가중치"));
    REQUIRE(f.store->job(origin)->has_value());
    CHECK(f.store->last_checkpoint(origin)->has_value());
    REQUIRE(f.store->begin());
    REQUIRE(
        f.store->finish_waiting(rerun, JobState::kCancelled, {"cancelled", "", {}, {}, false}, kNow, kEvent));
    REQUIRE(f.store->commit());
    f.run();
    f.run();
    CHECK_FALSE(f.store->job(origin)->has_value());
    CHECK_FALSE(fs::exists(f.attempt_of(origin)));
}

TEST_CASE("upkeep: one backup a day") {
    UpkeepFixture f;
    f.ended_job(hours(1));
    const auto finish = [&] {
        f.storage.reset();  // waits for the copy
        f.storage = std::make_unique<StorageKeeper>(f.io, f.clock, (f.folder / "nightshift.db").string(),
                                                    (f.folder / "backup").string());
        f.upkeep = std::make_unique<Upkeep>(
            *f.loop, *f.storage, [&f] { return f.policy; }, f.folder.path().string());
    };
    f.run();
    finish();
    CHECK(f.storage->backups().size() == 1);
    f.clock.time = kNow + hours(23);
    f.run();
    finish();
    CHECK(f.storage->backups().size() == 1);
    f.clock.time = kNow + hours(25);
    f.run();
    finish();
    REQUIRE(f.storage->backups().size() == 2);
    CHECK(f.storage->backups().front().at == f.clock.time);
}
