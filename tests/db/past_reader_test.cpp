#include "db/past_reader.h"

#include "tests/db/store_fixture.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

db::PlanRecord record(std::int64_t seq, UnixMs at) {
    db::PlanRecord plan;
    plan.plan_seq = seq;
    plan.at = at;
    plan.cpu = 2;
    plan.ram = gibibytes(4);
    return plan;
}

struct PastFixture : StoreFixture {
    std::unique_ptr<db::PastReader> reader() const {
        auto opened = db::PastReader::open(path);
        REQUIRE(opened.has_value());
        return std::move(*opened);
    }
    void log(const db::PlanRecord& plan) const {
        REQUIRE(commit([&] { return store->record_plan(plan); }));
    }
};

}  // namespace

TEST_CASE("past: a plan's world is put together from the rows that changed") {
    PastFixture box;
    db::PlanRecord first = record(5, kNow);
    first.policy_json = "{\"a\":1}";
    first.devices = {{"GPU-가", "카드", gibibytes(8), gibibytes(1)}};
    box.log(first);
    box.log(record(9, kNow + seconds(10)));
    db::PlanRecord third = record(12, kNow + seconds(20));
    third.devices = {{"GPU-가", "카드", gibibytes(8), gibibytes(3)}};
    third.is_paused = true;
    box.log(third);

    const auto reader = box.reader();
    CHECK_FALSE(reader->world_at_plan(4).value().has_value());
    CHECK_FALSE(reader->world_at(kNow - seconds(1)).value().has_value());
    const auto between = reader->world_at_plan(11).value();
    REQUIRE(between.has_value());
    CHECK(between->plan_seq == 9);
    CHECK(between->policy_json == "{\"a\":1}");
    REQUIRE(between->devices.has_value());
    CHECK(between->devices->front().foreign == gibibytes(1));
    const auto last = reader->world_at(kNow + seconds(60)).value();
    REQUIRE(last.has_value());
    CHECK(last->is_paused);
    CHECK(last->devices->front().foreign == gibibytes(3));
    const auto later = reader->plans(5, kNow + seconds(15)).value();
    REQUIRE(later.size() == 1);
    CHECK(later.front().plan_seq == 9);
    CHECK_FALSE(later.front().policy_json.has_value());
}

TEST_CASE("past: jobs that were open in a stretch come with their attempts") {
    PastFixture box;
    const JobId before = box.insert(StoreFixture::spec(), kNow - hours(3));
    const JobId ran = box.insert(StoreFixture::spec(), kNow - minutes(5));
    const JobId waits = box.insert(StoreFixture::spec(), kNow + minutes(1));
    JobSpec held_spec = StoreFixture::spec();
    held_spec.hold = true;
    box.insert(held_spec, kNow);
    box.insert(StoreFixture::spec(), kNow + hours(9));
    REQUIRE(box.commit([&] {
        return box.store->finish_waiting(before, JobState::kCancelled,
                                         Outcome{"cancelled", "", {}, {}, false}, kNow - hours(2), kEvent);
    }));
    const Attempt attempt = box.grant(ran);
    REQUIRE(box.end(attempt.id, JobState::kSucceeded, AttemptEnd::kOk));

    const auto reader = box.reader();
    const auto jobs = reader->jobs(kNow - minutes(1), kNow + hours(1), 10).value();
    REQUIRE(jobs.size() == 2);
    CHECK(jobs[0].job.id == ran);
    REQUIRE(jobs[0].attempts.size() == 1);
    CHECK(jobs[0].attempts[0].started == kNow);
    CHECK(jobs[0].attempts[0].ended == kNow);
    CHECK(jobs[1].job.id == waits);
    CHECK(jobs[1].attempts.empty());
    CHECK(jobs[1].ready_at == kNow + minutes(1));

    const auto too_many = reader->jobs(kNow - hours(9), kNow + hours(10), 2);
    REQUIRE_FALSE(too_many.has_value());
    CHECK(too_many.error().reason == "too_much_past");
}

TEST_CASE("past: a release is when a held job became ready") {
    PastFixture box;
    JobSpec spec = StoreFixture::spec();
    spec.hold = true;
    const JobId id = box.insert(spec, kNow);
    REQUIRE(box.commit([&] {
        return box.store->set_held(id, false, kNow + minutes(7), {"job", "released", "me", "{}"});
    }));
    const auto jobs = box.reader()->jobs(kNow, kNow + hours(1), 10).value();
    REQUIRE(jobs.size() == 1);
    CHECK(jobs[0].ready_at == kNow + minutes(7));
}

TEST_CASE("past: the open queue comes live first, then in its order") {
    PastFixture box;
    JobSpec synthesis = StoreFixture::spec("synthesis");
    synthesis.job_class = JobClass::kSynthesis;
    const JobId low = box.insert(synthesis);
    const JobId plain = box.insert(StoreFixture::spec("plain"));
    JobSpec urgent_spec = StoreFixture::spec("urgent");
    urgent_spec.priority = 50;
    const JobId urgent = box.insert(urgent_spec);
    const JobId running = box.insert(StoreFixture::spec("running"));
    box.grant(running);
    const auto jobs = box.reader()->open_jobs(10).value();
    REQUIRE(jobs.size() == 4);
    CHECK(jobs[0].id == running);
    CHECK(jobs[1].id == urgent);
    CHECK(jobs[2].id == plain);
    CHECK(jobs[3].id == low);
    CHECK(box.reader()->open_jobs(2).value().size() == 2);
}

TEST_CASE("past: plans are pruned however long ago the policy and the devices changed") {
    PastFixture box;
    db::PlanRecord first = record(1, kNow);
    first.policy_json = "{}";
    first.devices = std::vector<db::PlanDevice>{{"GPU-a", "a", gibibytes(8), gibibytes(1)}};
    box.log(first);
    for (int seq = 2; seq <= 10; ++seq) box.log(record(seq, kNow + hours(seq)));
    const auto prune = [&](int limit) {
        REQUIRE(box.commit([&] { return box.store->prune(kNow + hours(6), kNow, limit); }));
    };
    prune(2);
    CHECK(box.reader()->plans(0, kNow + hours(20)).value().size() == 8);
    prune(100);
    prune(100);
    const auto reader = box.reader();
    const auto left = reader->plans(0, kNow + hours(20)).value();
    REQUIRE(left.size() == 5);
    CHECK(left[0].plan_seq == 6);
    CHECK_FALSE(reader->world_at_plan(5).value().has_value());
    for (int seq = 6; seq <= 10; ++seq) {
        const auto world = reader->world_at_plan(seq).value();
        REQUIRE(world.has_value());
        CHECK(world->policy_json == "{}");
        REQUIRE(world->devices->size() == 1);
        CHECK(world->devices->front().foreign == gibibytes(1));
    }
}

TEST_CASE("past: pruning keeps the rows that later plans rest on") {
    PastFixture box;
    db::PlanRecord first = record(1, kNow);
    first.policy_json = "{}";
    first.devices = std::vector<db::PlanDevice>{{"GPU-a", "a", gibibytes(8), Bytes{}}};
    box.log(first);
    db::PlanRecord second = first;
    second.plan_seq = 2;
    second.at = kNow + hours(1);
    box.log(second);
    box.log(record(3, kNow + hours(2)));
    REQUIRE(box.commit([&] { return box.store->prune(kNow + hours(3), kNow, 100); }));
    const auto reader = box.reader();
    CHECK_FALSE(reader->world_at_plan(1).value().has_value());
    const auto world = reader->world_at_plan(3).value();
    REQUIRE(world.has_value());
    CHECK(world->policy_json == "{}");
    CHECK(world->devices->size() == 1);
}
