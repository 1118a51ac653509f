#include "tests/db/store_fixture.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

Schedule nightly() {
    Schedule schedule;
    schedule.name = "밤마다";
    schedule.cron_text = "0 22 * * mon-fri";
    schedule.timezone = "Asia/Seoul";
    schedule.jobs_json = R"([{"kind":"sleep"}])";
    schedule.next_fire_at = kNow;
    return schedule;
}

}  // namespace

TEST_CASE("schedules: a nominal time is recorded once, whoever asks") {
    StoreFixture f;
    REQUIRE(f.commit([&] { return f.store->put_schedule(nightly(), true, kNow, kEvent); }));
    const auto again = f.commit([&] { return f.store->put_schedule(nightly(), true, kNow, kEvent); });
    REQUIRE_FALSE(again);
    CHECK(again.error().reason == "schedule_exists");
    const auto all = f.store->schedules();
    REQUIRE(all);
    REQUIRE(all->size() == 1);
    CHECK((*all)[0].cron.hours == (1u << 22));
    const ScheduleId id = (*all)[0].id;
    const auto fire = [&] {
        return f.commit([&] { return f.store->record_fire(id, kNow, "run", "", kNow, kEvent); });
    };
    CHECK(*fire());
    CHECK_FALSE(*fire());
    f.reopen();
    CHECK_FALSE(*fire());
    CHECK((*f.store->schedules())[0].last_fire_at == kNow);
}

TEST_CASE("schedules: only jobs that have not ended count as open") {
    StoreFixture f;
    REQUIRE(f.store->begin());
    const auto first = f.store->insert_job(f.spec(), "밤마다", kNow, {}, 10, kNow, kEvent);
    const auto second = f.store->insert_job(f.spec(), "밤마다", kNow, {}, 10, kNow, kEvent);
    REQUIRE(first);
    REQUIRE(second);
    REQUIRE(f.store->commit());
    REQUIRE(f.end(f.grant(*first).id, JobState::kSucceeded, AttemptEnd::kOk));
    const auto open = f.store->open_jobs_of_schedule("밤마다");
    REQUIRE(open);
    REQUIRE(open->size() == 1);
    CHECK((*open)[0].id == *second);
}

TEST_CASE("schedules: pause, resume and delete name what is not there") {
    StoreFixture f;
    const auto missing = f.commit([&] { return f.store->set_schedule_enabled("none", true, kNow, kEvent); });
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == ErrorCode::kNotFound);
    CHECK_FALSE(f.commit([&] { return f.store->delete_schedule("none", kNow, kEvent); }));
}
