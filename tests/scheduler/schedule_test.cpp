#include <doctest/doctest.h>

#include "scheduler/cron.h"
#include "tests/support/fixed_zones.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

const FixedZones kZones;

Schedule nightly(UnixMs next, MissedPolicy missed = MissedPolicy::kOnce,
                 OverlapPolicy overlap = OverlapPolicy::kSkip) {
    Schedule schedule;
    schedule.name = "nightly";
    schedule.cron = parse_cron("0 22 * * *").value();
    schedule.timezone = "UTC";
    schedule.missed = missed;
    schedule.overlap = overlap;
    schedule.next_fire_at = next;
    return schedule;
}

int runs(const std::vector<FireDecision>& decisions) {
    int count = 0;
    for (const auto& decision : decisions) count += decision.run;
    return count;
}

}  // namespace

TEST_CASE("schedule: names of the policies are read back") {
    for (const auto p : {MissedPolicy::kOnce, MissedPolicy::kSkip, MissedPolicy::kAll}) {
        CHECK(parse_missed_policy(to_string(p)) == p);
    }
    for (const auto p : {OverlapPolicy::kSkip, OverlapPolicy::kQueue, OverlapPolicy::kReplace}) {
        CHECK(parse_overlap_policy(to_string(p)) == p);
    }
}

TEST_CASE("schedule: nothing is due before its time, and nothing when disabled") {
    CHECK(due_fires(nightly(utc(2026, 11, 20, 22)), kZones, utc(2026, 11, 20, 21, 59, 59), 0).empty());
    auto off = nightly(utc(2026, 11, 20, 22));
    off.enabled = false;
    CHECK(due_fires(off, kZones, utc(2026, 11, 20, 23), 0).empty());
    off.enabled = true;
    off.next_fire_at.reset();
    CHECK(due_fires(off, kZones, utc(2026, 11, 20, 23), 0).empty());
}

TEST_CASE("schedule: a fire on time runs under every missed policy") {
    for (const auto missed : {MissedPolicy::kOnce, MissedPolicy::kSkip, MissedPolicy::kAll}) {
        const auto due =
            due_fires(nightly(utc(2026, 11, 20, 22), missed), kZones, utc(2026, 11, 20, 22, 0, 5), 0);
        REQUIRE(due.size() == 1);
        CHECK(due[0].nominal == utc(2026, 11, 20, 22));
        CHECK(due[0].run);
        CHECK_FALSE(due[0].replace_running);
    }
}

TEST_CASE("schedule: after three nights down, once runs the last, skip none, all every one") {
    const UnixMs now = utc(2026, 11, 20, 23);
    const auto once = due_fires(nightly(utc(2026, 11, 18, 22), MissedPolicy::kOnce), kZones, now, 0);
    REQUIRE(once.size() == 3);
    CHECK(runs(once) == 1);
    CHECK(once.back().run);
    CHECK(once.front().reason == "missed");
    CHECK(runs(due_fires(nightly(utc(2026, 11, 18, 22), MissedPolicy::kSkip), kZones, now, 0)) == 0);
    CHECK(runs(due_fires(nightly(utc(2026, 11, 18, 22), MissedPolicy::kAll, OverlapPolicy::kQueue), kZones,
                         now, 0)) == 3);
    // With overlap skip the first run is still there when the others come.
    CHECK(runs(due_fires(nightly(utc(2026, 11, 18, 22), MissedPolicy::kAll, OverlapPolicy::kSkip), kZones,
                         now, 0)) == 1);
}

TEST_CASE("schedule: overlap skips, queues or replaces") {
    const UnixMs now = utc(2026, 11, 20, 22);
    const auto skip = due_fires(nightly(now, MissedPolicy::kOnce, OverlapPolicy::kSkip), kZones, now, 1);
    REQUIRE(skip.size() == 1);
    CHECK_FALSE(skip[0].run);
    CHECK(skip[0].reason == "overlap");
    const auto queue = due_fires(nightly(now, MissedPolicy::kOnce, OverlapPolicy::kQueue), kZones, now, 1);
    CHECK(queue[0].run);
    CHECK_FALSE(queue[0].replace_running);
    const auto replace =
        due_fires(nightly(now, MissedPolicy::kOnce, OverlapPolicy::kReplace), kZones, now, 1);
    CHECK(replace[0].run);
    CHECK(replace[0].replace_running);
}

TEST_CASE("schedule: a year of an every-minute schedule is bounded") {
    Schedule schedule = nightly(utc(2025, 11, 20), MissedPolicy::kAll, OverlapPolicy::kQueue);
    schedule.cron = parse_cron("* * * * *").value();
    const UnixMs now = utc(2026, 11, 20, 23);
    const auto due = due_fires(schedule, kZones, now, 0);
    CHECK(due.size() == 24);
    CHECK(due.back().nominal == now);
    for (std::size_t i = 1; i < due.size(); ++i) CHECK(due[i - 1].nominal < due[i].nominal);
}

TEST_CASE("schedule: a clock that jumps back fires nothing twice") {
    const auto schedule = nightly(utc(2026, 11, 21, 22));
    CHECK(due_fires(schedule, kZones, utc(2026, 11, 20, 22), 0).empty());
    CHECK(due_fires(schedule, kZones, utc(1970, 1, 1), 0).empty());
}
