#include <array>

#include "tests/db/store_fixture.h"

using namespace nightshift;
using namespace nightshift::tests;

TEST_CASE("store: a job comes back as it was submitted, also after the file was opened again") {
    StoreFixture f;
    JobSpec spec = f.spec("밤새 학습");
    spec.params_json = R"({"epochs":3})";
    spec.command = {"python3", "", "a b", "줄\n바꿈"};
    spec.env = {{"A", ""}, {"B", "x=y"}};
    spec.cwd = "/data/실험 1";
    spec.labels = {{"team", "fpcb"}, {"who", "나"}};
    spec.priority = -7;
    spec.time_limit = hours(7);
    spec.not_before = kNow + hours(1);
    spec.retries = 4;
    spec.checkpoint = CheckpointMode::kSignal;
    spec.estimate = seconds(90);
    const JobId id = f.insert(spec);
    f.reopen();
    const Job job = f.get(id);
    CHECK(job.spec.name == spec.name);
    CHECK(job.spec.params_json == spec.params_json);
    CHECK(job.spec.command == spec.command);
    CHECK(job.spec.env == spec.env);
    CHECK(job.spec.cwd == spec.cwd);
    CHECK(job.spec.labels == spec.labels);
    CHECK(job.spec.priority == -7);
    CHECK(job.spec.time_limit == spec.time_limit);
    CHECK(job.spec.not_before == spec.not_before);
    CHECK(job.spec.estimate == spec.estimate);
    CHECK(job.spec.checkpoint == CheckpointMode::kSignal);
    CHECK(job.retries_left == 4);
    CHECK(job.state == JobState::kWaiting);
    CHECK(job.created_at == kNow);
    f.check_sound();
}

TEST_CASE("store: ids rise and are never used again, even after the newest job was pruned") {
    StoreFixture f;
    const JobId first = f.insert(f.spec());
    const JobId second = f.insert(f.spec());
    CHECK(second.value == first.value + 1);
    const Outcome outcome{"cancelled", "words", {}, {}, false};
    REQUIRE(f.commit(
        [&] { return f.store->finish_waiting(second, JobState::kCancelled, outcome, kNow, kEvent); }));
    REQUIRE(f.commit([&] { return f.store->prune(kNow + hours(1), UnixMs{0}, 100); }));
    CHECK_FALSE(f.store->job(second)->has_value());
    CHECK(f.insert(f.spec()).value == second.value + 1);
    f.check_sound();
}

TEST_CASE("store: a rolled back mutation takes nothing else of its transaction with it") {
    StoreFixture f;
    REQUIRE(f.store->begin());
    const auto keep = f.store->insert_job(f.spec("keep"), "", {}, {}, 10, kNow, kEvent);
    REQUIRE(keep);
    REQUIRE(f.store->savepoint());
    const auto drop = f.store->insert_job(f.spec("drop"), "", {}, {}, 10, kNow, kEvent);
    REQUIRE(drop);
    f.store->rollback_to_savepoint();
    REQUIRE(f.store->savepoint());
    const auto next = f.store->insert_job(f.spec("next"), "", {}, {}, 10, kNow, kEvent);
    REQUIRE(next);
    REQUIRE(f.store->release_savepoint());
    REQUIRE(f.store->commit());
    const auto events = f.store->take_new_events();
    CHECK(events.size() == 2);
    CHECK(f.get(*keep).spec.name == "keep");
    CHECK(f.get(*next).spec.name == "next");
    CHECK(next->value == keep->value + 1);
    f.check_sound();  // among others: event numbers have no gap
}

TEST_CASE("store: nothing of a transaction without a commit is there after a reopen") {
    StoreFixture f;
    const JobId kept = f.insert(f.spec("kept"));
    REQUIRE(f.store->begin());
    REQUIRE(f.store->insert_job(f.spec("lost"), "", {}, {}, 10, kNow, kEvent));
    f.reopen();
    CHECK(f.get(kept).spec.name == "kept");
    CHECK_FALSE(f.store->job({kept.value + 1})->has_value());
    f.check_sound();
}

TEST_CASE("store: the queue has a limit and says so") {
    StoreFixture f;
    f.insert(f.spec());
    REQUIRE(f.store->begin());
    const auto refused = f.store->insert_job(f.spec(), "", {}, {}, 1, kNow, kEvent);
    f.store->rollback();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "queue_full");
}

TEST_CASE("store: a stale version changes nothing") {
    StoreFixture f;
    const JobId id = f.insert(f.spec("before"));
    JobSpec spec = f.spec("after");
    const auto stale = f.commit([&] { return f.store->update_spec(id, spec, 7, kNow, kEvent); });
    REQUIRE_FALSE(stale);
    CHECK(stale.error().reason == "stale_etag");
    CHECK(f.get(id).spec.name == "before");
    REQUIRE(f.commit([&] { return f.store->update_spec(id, spec, f.get(id).version, kNow, kEvent); }));
    CHECK(f.get(id).spec.name == "after");
    CHECK(f.get(id).version == 2);
}

TEST_CASE("store: move changes the order inside a class and neither id nor creation") {
    StoreFixture f;
    std::array<JobId, 4> ids;
    for (JobId& id : ids) id = f.insert(f.spec());
    const auto order = [&] {
        Snapshot snapshot;
        REQUIRE(f.store->load_planning(snapshot, kNow));
        std::vector<std::int64_t> seen;
        for (const Job& job : snapshot.candidates[1]) seen.push_back(job.id.value);
        return seen;
    };
    REQUIRE(f.commit([&] { return f.store->move_job(ids[3], {}, true, kNow, kEvent); }));
    CHECK(order() == std::vector<std::int64_t>{4, 1, 2, 3});
    REQUIRE(f.commit([&] { return f.store->move_job(ids[0], {}, false, kNow, kEvent); }));
    CHECK(order() == std::vector<std::int64_t>{4, 2, 3, 1});
    // More moves between two neighbours than there are numbers between them.
    for (int i = 0; i < 60; ++i) {
        REQUIRE(f.commit(
            [&] { return f.store->move_job(ids[i % 2 == 0 ? 0 : 2], ids[1], false, kNow, kEvent); }));
    }
    CHECK(order() == std::vector<std::int64_t>{4, 2, 3, 1});
    JobSpec other = f.spec();
    other.job_class = JobClass::kSynthesis;
    const JobId stranger = f.insert(other);
    const auto refused = f.commit([&] { return f.store->move_job(ids[0], stranger, true, kNow, kEvent); });
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "other_class");
}

TEST_CASE("store: a job that has not ended cannot be hidden") {
    StoreFixture f;
    const JobId id = f.insert(f.spec());
    const auto refused = f.commit([&] { return f.store->set_hidden(id, kNow, kEvent); });
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kConflict);
}
