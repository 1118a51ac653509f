#include <chrono>

#include "tests/db/store_fixture.h"

using namespace nightshift;
using namespace nightshift::tests;

TEST_CASE("planning: candidates come in order of priority, age and place") {
    StoreFixture f;
    JobSpec spec = f.spec();
    const JobId plain = f.insert(spec);
    spec.priority = 5;
    const JobId urgent = f.insert(spec);
    spec.priority = 0;
    const JobId old = f.insert(spec);
    spec.hold = true;
    f.insert(spec);
    spec.hold = false;
    spec.not_before = kNow + hours(1);
    f.insert(spec);
    // Eligible for five hours: ten steps of age, more than the other's priority of five.
    REQUIRE(f.commit([&] { return f.store->set_eligible(old, true, kNow - hours(5)); }));
    Snapshot snapshot;
    REQUIRE(f.store->load_planning(snapshot, kNow));
    std::vector<JobId> order;
    for (const Job& job : snapshot.candidates[1]) order.push_back(job.id);
    CHECK(order == std::vector<JobId>{old, urgent, plain});
    CHECK(snapshot.waiting_count[1] == 5);
    CHECK(snapshot.next_timer_hint == kNow + hours(1));
}

TEST_CASE("planning: twenty thousand waiting jobs are not looked at, only the first 64") {
    StoreFixture f;
    const auto measure = [&] {
        Snapshot snapshot;
        const auto from = std::chrono::steady_clock::now();
        for (int i = 0; i < 20; ++i) REQUIRE(f.store->load_planning(snapshot, kNow));
        CHECK(snapshot.candidates[1].size() == 64);
        return std::chrono::steady_clock::now() - from;
    };
    const auto fill = [&](int count) {
        REQUIRE(f.store->begin());
        for (int i = 0; i < count; ++i) {
            JobSpec spec = f.spec("many");
            spec.priority = i % 7;
            REQUIRE(f.store->insert_job(spec, "", {}, {}, 1'000'000, kNow, kEvent));
        }
        REQUIRE(f.store->commit());
        f.store->take_new_events();
    };
    fill(200);
    const auto few = measure();
    fill(20'000);
    const auto many = measure();
    // A scan would cost a hundred times as much. Both were measured in this run, on this machine.
    CHECK(many < few * 20);
    f.check_sound();
}

TEST_CASE("planning: wait reasons become spans that begin and end") {
    StoreFixture f;
    const JobId id = f.insert(f.spec());
    const auto set = [&](const std::vector<std::string>& codes, UnixMs at) {
        REQUIRE(f.commit([&] { return f.store->set_wait_reasons(id, codes, at); }));
    };
    set({"vram_budget", "outside_window"}, kNow);
    set({"vram_budget"}, kNow + seconds(5));
    set({"vram_budget"}, kNow + seconds(6));
    f.grant(id);
    auto queries = db::open_queries(f.path);
    REQUIRE(queries);
    const auto spans = (*queries)->wait_spans(id);
    REQUIRE(spans);
    REQUIRE(spans->size() == 2);
    CHECK((*spans)[0].reason == "outside_window");
    CHECK((*spans)[0].to == kNow + seconds(5));
    CHECK((*spans)[1].reason == "vram_budget");
    CHECK((*spans)[1].to == kNow);  // the grant of this test carries kNow
}

TEST_CASE("planning: run times of ended jobs become estimates of their kind") {
    StoreFixture f;
    for (int i = 1; i <= 70; ++i) {
        const Attempt attempt = f.grant(f.insert(f.spec()));
        Transition transition;
        transition.state = JobState::kSucceeded;
        transition.end = AttemptEnd::kOk;
        transition.outcome = Outcome{"ok", "Done.", 0, {}, false};
        AttemptReport report;
        report.run_time = seconds(i);
        REQUIRE(f.commit([&] {
            return f.store->end_attempt(attempt.id, transition, report, {}, mebibytes(i), kNow, kEvent);
        }));
    }
    Snapshot snapshot;
    REQUIRE(f.store->load_planning(snapshot, kNow));
    REQUIRE(snapshot.stats.size() == 1);
    CHECK(snapshot.stats[0].kind == "sleep");
    CHECK(snapshot.stats[0].runs == 64);  // the newest 64: 7..70 s
    CHECK(snapshot.stats[0].run_time_p50 == seconds(39));
    CHECK(snapshot.stats[0].peak_vram_max == mebibytes(70));
}
