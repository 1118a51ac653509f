#include "tests/db/store_fixture.h"

using namespace nightshift;
using namespace nightshift::tests;

TEST_CASE("queries: pages are newest first, without a gap or a repeat") {
    StoreFixture f;
    for (int i = 0; i < 25; ++i) f.insert(f.spec("job " + std::to_string(i)));
    auto queries = db::open_queries(f.path);
    REQUIRE(queries);
    db::JobFilter filter;
    filter.limit = 10;
    std::vector<std::int64_t> seen;
    for (;;) {
        const auto page = (*queries)->jobs(filter);
        REQUIRE(page);
        for (const Job& job : page->jobs) seen.push_back(job.id.value);
        if (page->next_before_id == 0) break;
        filter.before_id = page->next_before_id;
    }
    REQUIRE(seen.size() == 25);
    for (std::size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == 25 - static_cast<std::int64_t>(i));
}

TEST_CASE("queries: filters take text as text") {
    StoreFixture f;
    f.insert(f.spec("100% done"));
    f.insert(f.spec("1000 done"));
    JobSpec other = f.spec("한글 이름");
    other.kind = "burn";
    other.job_class = JobClass::kSynthesis;
    const JobId burn = f.insert(other);
    auto queries = db::open_queries(f.path);
    REQUIRE(queries);
    db::JobFilter filter;
    filter.text = "100%";
    CHECK((*queries)->jobs(filter)->jobs.size() == 1);
    filter.text = "글 이";
    CHECK((*queries)->jobs(filter)->jobs.size() == 1);
    filter.text = "' OR 1=1 --";
    CHECK((*queries)->jobs(filter)->jobs.empty());
    filter = {};
    filter.kinds = {"burn", "none"};
    REQUIRE((*queries)->jobs(filter)->jobs.size() == 1);
    CHECK((*queries)->jobs(filter)->jobs[0].id == burn);
    filter = {};
    filter.states = {JobState::kWaiting, JobState::kFailed};
    filter.classes = {JobClass::kSynthesis};
    CHECK((*queries)->jobs(filter)->jobs.size() == 1);
}

TEST_CASE("queries: events are numbered without a gap, and a reader that is too far behind is told") {
    StoreFixture f;
    const JobId id = f.insert(f.spec());
    f.insert(f.spec(), kNow + hours(2));
    auto queries = db::open_queries(f.path);
    REQUIRE(queries);
    const auto all = (*queries)->events_after({0}, 100);
    REQUIRE(all);
    REQUIRE(*all);
    CHECK((*all)->size() == 2);
    CHECK((*queries)->events(id, {0}, 10)->size() == 1);
    REQUIRE(f.commit([&] { return f.store->prune(UnixMs{0}, kNow + hours(1), 100); }));
    const auto behind = (*queries)->events_after({0}, 100);
    REQUIRE(behind);
    CHECK_FALSE(behind->has_value());
    CHECK((*queries)->events_after({1}, 100)->has_value());
    // A cursor behind every number there can be is behind the end, not before the beginning.
    CHECK((*queries)->events_after({INT64_MAX}, 100)->has_value());
    CHECK((*queries)->last_event()->value == 2);
    f.check_sound();
}

TEST_CASE("queries: counts follow every change") {
    StoreFixture f;
    f.insert(f.spec());
    const JobId id = f.insert(f.spec());
    REQUIRE(f.end(f.grant(id).id, JobState::kSucceeded, AttemptEnd::kOk));
    auto queries = db::open_queries(f.path);
    REQUIRE(queries);
    const auto counts = (*queries)->counts();
    REQUIRE(counts);
    std::int64_t waiting = 0, succeeded = 0;
    for (const db::StateCount& row : *counts) {
        if (row.state == JobState::kWaiting) waiting += row.count;
        if (row.state == JobState::kSucceeded) succeeded += row.count;
    }
    CHECK(waiting == 1);
    CHECK(succeeded == 1);
}

TEST_CASE("queries: an idempotency key and a token come back as stored") {
    StoreFixture f;
    const db::IdempotentAnswer chain{"hash", {JobId{4}, JobId{51}}};
    REQUIRE(f.commit([&] { return f.store->remember_idempotent("run", "k", chain, kNow); }));
    REQUIRE(f.commit([&] { return f.store->remember_idempotent("schedule", "k", {"other", {}}, kNow); }));
    REQUIRE(f.store->idempotent("run", "k"));
    REQUIRE(*f.store->idempotent("run", "k"));
    CHECK((*f.store->idempotent("run", "k"))->jobs == chain.jobs);
    CHECK((*f.store->idempotent("run", "k"))->request_hash == "hash");
    CHECK_FALSE(f.store->idempotent("run", "other")->has_value());
    REQUIRE(f.commit([&] { return f.store->put_token({"ab", "viewer", "browser", kNow}); }));
    auto queries = db::open_queries(f.path);
    REQUIRE(queries);
    REQUIRE((*queries)->tokens()->size() == 1);
    CHECK((*(*queries)->tokens())[0].role == "viewer");
    REQUIRE(*(*queries)->idempotent("schedule", "k"));
    CHECK((*(*queries)->idempotent("schedule", "k"))->jobs.empty());
    CHECK_FALSE((*queries)->idempotent("submit", "k")->has_value());
}
