#include <algorithm>

#include "db/queries.h"
#include "tests/db/store_fixture.h"

using namespace nightshift;
using namespace nightshift::tests;

TEST_CASE("history rows: ended jobs come oldest first, hidden ones too, over stretches without any") {
    StoreFixture f;
    std::vector<std::int64_t> ended;
    REQUIRE(f.store->begin());
    for (int i = 0; i < 4500; ++i) {
        const auto id = f.store->insert_job(f.spec(), "", {}, {}, 10'000, kNow, kEvent);
        REQUIRE(id);
        if (i != 3 && i < 4490) continue;
        REQUIRE(f.store->finish_waiting(*id, JobState::kCancelled, {"cancelled", "", {}, {}, false}, kNow,
                                        kEvent));
        ended.push_back(id->value);
    }
    REQUIRE(f.store->set_hidden(JobId{ended[1]}, kNow, kEvent));
    REQUIRE(f.store->commit());
    auto queries = db::open_queries(f.path);
    REQUIRE(queries);
    std::vector<std::int64_t> seen;
    int answers = 0;
    for (JobId after;;) {
        const auto found = (*queries)->finished_after(after, 4);
        REQUIRE(found);
        REQUIRE(found->ids.size() <= 4);
        REQUIRE(++answers < 20);
        for (const JobId id : found->ids) seen.push_back(id.value);
        if (!found->next_after) break;
        after = found->next_after;
    }
    CHECK(seen == ended);
}

TEST_CASE("history rows: all that is stored of a job") {
    StoreFixture f;
    const JobId id = f.insert(f.spec("첫째"));
    const Attempt attempt = f.grant(id);
    REQUIRE(f.commit([&] {
        return f.store->add_checkpoint({id, 1, "c", 3, Bytes{10}, std::string(64, 'c'), kNow}, kNow, kEvent);
    }));
    REQUIRE(f.end(attempt.id, JobState::kSucceeded, AttemptEnd::kOk));
    auto queries = db::open_queries(f.path);
    const auto history = (*queries)->job_history(id);
    REQUIRE(history);
    REQUIRE(history->has_value());
    CHECK((*history)->job.spec.name == "첫째");
    CHECK((*history)->attempts.size() == 1);
    CHECK((*history)->checkpoints.front().sha256 == std::string(64, 'c'));
    CHECK((*history)->events.size() == 4);
    CHECK((*history)->unreadable.empty());
    CHECK_FALSE((*queries)->job_history(JobId{99})->has_value());
}

TEST_CASE("history rows: fires go on behind the one that was seen") {
    StoreFixture f;
    for (const char* name : {"나", "가"}) {
        Schedule schedule;
        schedule.name = name;
        schedule.cron_text = "0 22 * * *";
        schedule.timezone = "Asia/Seoul";
        schedule.jobs_json = "[]";
        REQUIRE(f.commit([&] { return f.store->put_schedule(schedule, true, kNow, kEvent); }));
    }
    for (int i = 0; i < 5; ++i) {
        for (const ScheduleId id : {ScheduleId{1}, ScheduleId{2}}) {
            REQUIRE(
                f.commit([&] { return f.store->record_fire(id, kNow + hours(i), "run", "", kNow, kEvent); }));
        }
    }
    auto queries = db::open_queries(f.path);
    std::vector<std::pair<std::string, std::int64_t>> seen;
    for (std::pair<std::string, UnixMs> last;;) {
        const auto found = (*queries)->fires_after(last.first, last.second, 3);
        REQUIRE(found);
        for (const db::StoredFire& fire : *found) seen.emplace_back(fire.schedule, fire.nominal.value);
        if (found->empty()) break;
        last = {found->back().schedule, found->back().nominal};
    }
    REQUIRE(seen.size() == 10);
    CHECK(std::is_sorted(seen.begin(), seen.end()));
    CHECK(seen.front() == std::pair<std::string, std::int64_t>("가", kNow.value));
}

TEST_CASE("history rows: a database keeps its name, and no other has it") {
    StoreFixture f, other;
    const auto name = db::open_queries(f.path).value()->database_id();
    REQUIRE(name);
    CHECK(name->size() == 32);
    f.reopen();
    CHECK(*db::open_queries(f.path).value()->database_id() == *name);
    CHECK(*db::open_queries(other.path).value()->database_id() != *name);
}
