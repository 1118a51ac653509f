#include <array>

#include "tests/db/store_fixture.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

constexpr std::array kStates{JobState::kWaiting,   JobState::kStarting, JobState::kRunning,
                             JobState::kYielding,  JobState::kParked,   JobState::kStopping,
                             JobState::kSucceeded, JobState::kFailed,   JobState::kCancelled,
                             JobState::kSkipped,   JobState::kExpired};

}  // namespace

TEST_CASE("states: the database knows the same changes as the scheduler and refuses every other") {
    StoreFixture f;
    const JobId id = f.insert(f.spec());
    // Below the guarded functions: the trigger itself is asked, by plain SQL, for each of the 121 pairs.
    for (const JobState from : kStates) {
        for (const JobState to : kStates) {
            REQUIRE(f.store->begin());
            const auto columns = [](JobState state) {
                return std::string(" ended_at_ms = ") + (is_terminal(state) ? "1" : "NULL") +
                       ", outcome_code = " + (is_terminal(state) ? "'x'" : "NULL");
            };
            // Put there with the trigger out of the way.
            REQUIRE(
                f.connection().exec("INSERT INTO legal_change SELECT 'waiting', column1 FROM (VALUES "
                                    "('running'), ('yielding'), ('parked'), ('stopping'), ('succeeded'), "
                                    "('failed'), ('waiting'))"));
            const std::string place =
                "UPDATE job SET state = '" + std::string(to_string(from)) + "'," + columns(from);
            REQUIRE(f.connection().exec(place.c_str()));
            REQUIRE(
                f.connection().exec("DELETE FROM legal_change WHERE was = 'waiting' AND becomes NOT IN "
                                    "('starting', 'cancelled', 'skipped', 'expired')"));
            const std::string change =
                "UPDATE job SET state = '" + std::string(to_string(to)) + "'," + columns(to);
            const Status changed = f.connection().exec(change.c_str());
            CAPTURE(to_string(from));
            CAPTURE(to_string(to));
            CHECK(changed.has_value() == may_change(from, to));
            if (!changed) CHECK(changed.error().reason == "state_conflict");
            f.store->rollback();
        }
    }
    CHECK(f.get(id).state == JobState::kWaiting);
}

TEST_CASE("attempts: every guarded change refuses a job in the wrong state and leaves it alone") {
    StoreFixture f;
    const JobId id = f.insert(f.spec());
    const AttemptId none{id, 1};
    CHECK_FALSE(
        f.commit([&] { return f.store->set_running(none, {}, EnforcementGrade::kNone, kNow, kEvent); }));
    CHECK_FALSE(f.commit([&] { return f.store->set_yielding(none, {}, "preempted", kNow, kNow, kEvent); }));
    CHECK_FALSE(f.commit([&] { return f.store->set_stopping(none, "cancelled", kNow, kNow, kEvent); }));
    CHECK_FALSE(f.end(none, JobState::kSucceeded, AttemptEnd::kOk));
    CHECK(f.get(id).state == JobState::kWaiting);
    const Attempt attempt = f.grant(id);
    CHECK_FALSE(f.commit([&] { return f.store->grant(id, "other", "host", {}, kNow, kEvent); }));
    CHECK_FALSE(f.commit([&] { return f.store->set_held(id, true, kNow, kEvent); }));
    const Outcome outcome{"cancelled", "words", {}, {}, false};
    CHECK_FALSE(
        f.commit([&] { return f.store->finish_waiting(id, JobState::kCancelled, outcome, kNow, kEvent); }));
    REQUIRE(f.end(attempt.id, JobState::kSucceeded, AttemptEnd::kOk));
    const Status twice = f.end(attempt.id, JobState::kFailed, AttemptEnd::kFailed);
    REQUIRE_FALSE(twice);
    CHECK(twice.error().reason == "already_ended");
    CHECK(f.get(id).state == JobState::kSucceeded);
    CHECK_FALSE(f.commit([&] { return f.store->set_stopping(attempt.id, "cancelled", kNow, kNow, kEvent); }));
    f.check_sound();
}

TEST_CASE("attempts: a preempted job keeps its place and its retries, and runs again as attempt 2") {
    StoreFixture f;
    JobSpec spec = f.spec();
    spec.retries = 2;
    const JobId id = f.insert(spec);
    const std::int64_t place = f.get(id).order_key;
    const Attempt first = f.grant(id);
    REQUIRE(
        f.commit([&] { return f.store->set_running(first.id, {}, EnforcementGrade::kNone, kNow, kEvent); }));
    REQUIRE(
        f.commit([&] { return f.store->set_yielding(first.id, JobId{7}, "preempted", kNow, kNow, kEvent); }));
    const Checkpoint checkpoint{id, 1, "jobs/1/1/checkpoint/3", 3, mebibytes(1), "abc", kNow};
    REQUIRE(f.commit([&] { return f.store->add_checkpoint(checkpoint, kNow, kEvent); }));
    REQUIRE(f.commit([&] { return f.store->add_checkpoint(checkpoint, kNow, kEvent); }));  // told twice
    Transition transition;
    transition.state = JobState::kWaiting;
    transition.end = AttemptEnd::kPreempted;
    transition.counts_preemption = true;
    AttemptReport report;
    report.run_time = seconds(40);
    REQUIRE(f.commit(
        [&] { return f.store->end_attempt(first.id, transition, report, {}, gibibytes(1), kNow, kEvent); }));
    Job job = f.get(id);
    CHECK(job.state == JobState::kWaiting);
    CHECK(job.order_key == place);
    CHECK(job.retries_left == 2);
    CHECK(job.preemptions == 1);
    CHECK(job.run_time == seconds(40));
    CHECK(job.peak_vram == gibibytes(1));
    CHECK(job.has_checkpoint);
    Snapshot snapshot;
    REQUIRE(f.store->load_planning(snapshot, kNow));
    CHECK(snapshot.last_preemption_at == kNow);
    REQUIRE(snapshot.reclaiming.size() == 1);
    REQUIRE(f.commit([&] { return f.store->release_lease(first.id); }));
    CHECK(f.grant(id).id.number == 2);
    const auto last = f.store->last_checkpoint(id);
    REQUIRE(last);
    REQUIRE(*last);
    CHECK((*last)->step == 3);
    f.check_sound();
}

TEST_CASE("attempts: a damaged checkpoint is refused once, and the one before it counts again") {
    StoreFixture f;
    const JobId id = f.insert(f.spec());
    const AttemptId first = f.grant(id).id;
    const Checkpoint older{id, 1, "jobs/1/1/checkpoint/1", 10, mebibytes(1), "abc", kNow};
    const Checkpoint newer{id, 1, "jobs/1/1/checkpoint/2", 20, mebibytes(1), "abd", kNow};
    for (const Checkpoint& each : {older, newer}) {
        REQUIRE(f.commit([&] { return f.store->add_checkpoint(each, kNow, kEvent); }));
    }
    const auto events = [&] {
        db::Statement count(f.connection(), "SELECT COUNT(*) FROM event");
        REQUIRE(count.step());
        return count.integer(0);
    };
    const auto refuse = [&](const std::string& path) {
        const std::int64_t before = events();
        REQUIRE(f.commit([&] { return f.store->refuse_checkpoint(first, path, kNow, kEvent); }));
        return events() - before;
    };
    CHECK(refuse("jobs/9/1/checkpoint/1") == 0);  // of another job
    CHECK(refuse(newer.path) == 1);
    CHECK(refuse(newer.path) == 0);
    CHECK((*f.store->last_checkpoint(id))->step == 10);
    CHECK(f.get(id).has_checkpoint);
    f.check_sound();
    CHECK(refuse(older.path) == 1);
    CHECK_FALSE(f.store->last_checkpoint(id)->has_value());
    CHECK_FALSE(f.get(id).has_checkpoint);
    f.check_sound();
}

TEST_CASE("attempts: what a live attempt ran is kept, never goes back, and stands still at its end") {
    StoreFixture f;
    const Attempt attempt = f.grant(f.insert(f.spec()));
    const auto ran = [&] {
        const auto found = f.store->ran(attempt.id);
        REQUIRE(found);
        return *found;
    };
    CHECK(ran() == Millis{});
    for (const int at_s : {30, 90, 60}) {
        REQUIRE(f.commit([&] { return f.store->set_ran(attempt.id, seconds(at_s)); }));
    }
    CHECK(ran() == seconds(90));
    REQUIRE(f.end(attempt.id, JobState::kSucceeded, AttemptEnd::kOk));
    REQUIRE(f.commit([&] { return f.store->set_ran(attempt.id, seconds(500)); }));
    CHECK(ran() == seconds(90));
}

TEST_CASE("attempts: a lease is held until it is reclaimed, and only then can be released") {
    StoreFixture f;
    const Attempt attempt = f.grant(f.insert(f.spec()));
    REQUIRE(f.commit([&] { return f.store->release_lease(attempt.id); }));
    Snapshot snapshot;
    REQUIRE(f.store->load_planning(snapshot, kNow));
    REQUIRE(snapshot.live.size() == 1);
    CHECK(snapshot.live[0].lease.budget == gibibytes(2));
    REQUIRE(f.end(attempt.id, JobState::kSucceeded, AttemptEnd::kOk));
    REQUIRE(f.store->load_planning(snapshot, kNow));
    CHECK(snapshot.live.empty());
    CHECK(snapshot.reclaiming.size() == 1);
    REQUIRE(f.commit([&] { return f.store->release_lease(attempt.id); }));
    REQUIRE(f.store->load_planning(snapshot, kNow));
    CHECK(snapshot.reclaiming.empty());
}

TEST_CASE("attempts: a cancel outranks a later reason to stop") {
    StoreFixture f;
    const Attempt attempt = f.grant(f.insert(f.spec()));
    REQUIRE(f.commit([&] { return f.store->set_stopping(attempt.id, "cancelled", kNow, kNow, kEvent); }));
    REQUIRE(f.commit([&] { return f.store->set_stopping(attempt.id, "time_limit", kNow, kNow, kEvent); }));
    const auto stored = f.store->attempt(attempt.id);
    REQUIRE(stored);
    REQUIRE(*stored);
    CHECK((*stored)->stop_reason == "cancelled");
}

TEST_CASE("attempts: a retry waits for its time, then is woken") {
    StoreFixture f;
    JobSpec spec = f.spec();
    spec.retries = 1;
    const JobId id = f.insert(spec);
    Transition transition;
    transition.state = JobState::kWaiting;
    transition.end = AttemptEnd::kLost;
    transition.charges_retry = true;
    transition.retry_at = kNow + seconds(10);
    const Attempt attempt = f.grant(id);
    REQUIRE(f.commit([&] { return f.store->end_attempt(attempt.id, transition, {}, {}, {}, kNow, kEvent); }));
    CHECK(f.get(id).retries_left == 0);
    Snapshot snapshot;
    REQUIRE(f.store->load_planning(snapshot, kNow));
    CHECK(snapshot.candidates[1].empty());
    CHECK(snapshot.next_timer_hint == kNow + seconds(10));
    const UnixMs later = kNow + seconds(10);
    const auto woken = f.commit([&] { return f.store->wake_due(later, 10); });
    REQUIRE(woken);
    CHECK(*woken == 1);
    REQUIRE(f.store->load_planning(snapshot, later));
    CHECK(snapshot.candidates[1].size() == 1);
}
