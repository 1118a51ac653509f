#include "db/self_check.h"

#include <algorithm>
#include <fstream>
#include <set>

#include "tests/db/store_fixture.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

const std::string kSha(64, 'a');

/// Jobs of every sort, so that each invariant has something that could break it: 1 succeeded, 2 running with
/// a checkpoint, 3 waiting for 2, 4 waiting, 5 cancelled, 6 failed once and waiting again.
void fill(const StoreFixture& f) {
    const db::EventText submitted{"job", "submitted", "tester", "{}"};
    const auto insert = [&](JobSpec spec) {
        return f.commit([&] { return f.store->insert_job(spec, "", {}, {}, 100, kNow, submitted); });
    };
    REQUIRE(insert(f.spec("하나")));
    REQUIRE(insert(f.spec("둘")));
    JobSpec child = f.spec("셋");
    child.after = {{JobId{2}, DependencyKind::kSuccess}};
    REQUIRE(insert(child));
    REQUIRE(insert(f.spec("넷")));
    REQUIRE(insert(f.spec("다섯")));
    JobSpec stubborn = f.spec("여섯");
    stubborn.retries = 2;
    REQUIRE(insert(stubborn));
    f.grant(JobId{1});
    REQUIRE(f.end({JobId{1}, 1}, JobState::kSucceeded, AttemptEnd::kOk));
    const std::string data = R"({"plan_seq":5})";
    REQUIRE(f.commit([&] { return f.store->set_setting("plan_seq", "5"); }));
    REQUIRE(f.commit([&] {
        return f.store->grant(JobId{2}, std::string(64, 'f'), "host", gibibytes(1), kNow,
                              {"job", "starting", "scheduler", data});
    }));
    REQUIRE(f.commit([&] {
        return f.store->set_running({JobId{2}, 1}, {}, EnforcementGrade::kNone, kNow, kEvent);
    }));
    REQUIRE(f.commit([&] {
        return f.store->add_checkpoint({JobId{2}, 1, "checkpoints/둘", 1, Bytes{1}, kSha, kNow}, kNow,
                                       kEvent);
    }));
    REQUIRE(f.commit([&] {
        return f.store->finish_waiting(JobId{5}, JobState::kCancelled, {"cancelled", "", {}, {}, false}, kNow,
                                       kEvent);
    }));
    f.grant(JobId{6});
    REQUIRE(f.end({JobId{6}, 1}, JobState::kWaiting, AttemptEnd::kFailed));
    REQUIRE(f.commit([&] { return f.store->release_lease({JobId{6}, 1}); }));
    Schedule schedule;
    schedule.name = "밤";
    schedule.cron_text = "0 22 * * *";
    schedule.timezone = "Asia/Seoul";
    schedule.jobs_json = "[]";
    REQUIRE(f.commit([&] { return f.store->put_schedule(schedule, true, kNow, kEvent); }));
    REQUIRE(f.commit([&] { return f.store->record_fire(ScheduleId{1}, kNow, "run", "", kNow, kEvent); }));
    REQUIRE(f.commit([&] { return f.store->remember_idempotent("submit", "key", {"h", {JobId{4}}}, kNow); }));
    REQUIRE(f.commit([&] { return f.store->put_token({kSha, "viewer", "", {}}); }));
    f.check_sound();
}

struct Breakage {
    const char* code;
    const char* sql;
};

// Constraints and triggers are taken away first where they would refuse.
constexpr const char* kUnguarded = "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF;";
constexpr Breakage kBreakages[] = {
    {"I1", "DROP TRIGGER job_change; UPDATE job SET state = 'asleep' WHERE id = 4"},
    {"I1", "DELETE FROM legal_change WHERE was = 'parked' AND becomes = 'failed'"},
    {"I1", "INSERT INTO legal_change VALUES ('failed', 'waiting')"},
    {"I2", "UPDATE job SET outcome_code = 'x' WHERE id = 4"},
    {"I2", "DROP TRIGGER job_end_is_final"},
    {"I3",
     "DROP INDEX attempt_live; INSERT INTO attempt (job_id, number, token, device, granted_at_ms) "
     "VALUES (2, 9, 't', 'host', 1)"},
    {"I4", "UPDATE job SET attempt = 7 WHERE id = 2"},
    {"I4",
     "INSERT INTO attempt (job_id, number, token, device, granted_at_ms) VALUES (4, 1, 't', 'host', 1)"},
    {"I5", "DROP TRIGGER lease_in_use; DELETE FROM lease WHERE job_id = 2"},
    {"I6", "UPDATE lease SET is_reclaiming = 1 WHERE job_id = 2"},
    {"I6", "INSERT INTO lease (job_id, number, device, budget) VALUES (6, 1, 'host', 1)"},
    {"I7", "UPDATE job SET deps_open = 0 WHERE id = 3"},
    {"I7",
     "INSERT INTO dep VALUES (4, 5, 'success', 0); UPDATE job SET deps_open = 1, dependencies = 1 "
     "WHERE id = 4"},
    {"I8",
     "INSERT INTO dep VALUES (4, 6, 'any', 0), (6, 4, 'any', 0); UPDATE job SET deps_open = 1, "
     "dependencies = 1 WHERE id IN (4, 6)"},
    {"I8",
     "INSERT INTO dep VALUES (4, 4, 'any', 0); UPDATE job SET deps_open = 1, dependencies = 1 "
     "WHERE id = 4"},
    {"I9", "UPDATE job SET retries_left = 0 WHERE id = 6"},
    {"I10", "UPDATE sqlite_sequence SET seq = 2 WHERE name = 'job'"},
    {"I10", "DROP TRIGGER job_origin_is_final"},
    {"I11", "DROP TRIGGER event_in_the_middle; DELETE FROM event WHERE seq = 3"},
    {"I11", "DROP TRIGGER event_in_the_middle; DELETE FROM event WHERE seq = (SELECT MAX(seq) FROM event)"},
    {"I11",
     "INSERT INTO job (id, state, class, kind, name, priority, order_key, vram, ram, cpu, preemptible, "
     "checkpoint_mode, retries, retries_left, created_at_ms) VALUES (40, 'waiting', 'training', "
     "'sleep', '', 0, 1, 0, 0, 0, 0, 'none', 0, 0, 1)"},
    {"I12", "UPDATE schedule SET last_fire_ms = 1"},
    {"I13", "UPDATE idem SET jobs = '4 99'"},
    {"I14", "CREATE UNIQUE INDEX one_name ON job (name) WHERE state = 'running'"},
    {"I15", "UPDATE job SET has_checkpoint = 1 WHERE id = 4"},
    {"I15", "UPDATE checkpoint SET is_bad = 1"},
    {"I15", "DROP TRIGGER checkpoint_is_final; UPDATE checkpoint SET sha256 = ''"},
    {"I17",
     "INSERT INTO event (at_ms, topic, kind, job_id, actor, data) SELECT 1, 'job', 'x', 2, 'y', token "
     "FROM attempt WHERE job_id = 2"},
    {"I17", "INSERT INTO token VALUES ('my password', 'viewer', 'mine', NULL)"},
    {"I18", "UPDATE setting SET value = '4' WHERE name = 'plan_seq'"},
    {"I18",
     "INSERT INTO event (at_ms, topic, kind, job_id, actor, data) VALUES (1, 'job', 'starting', 2, "
     "'scheduler', '{\"plan_seq\":5}')"},
    {"I20", "DROP TRIGGER job_is_needed; DELETE FROM job WHERE id = 2"},
    {"I20", "UPDATE job SET dependencies = 3 WHERE id = 3"},
    {"tally", "UPDATE tally SET count = count + 1"},
};

std::set<std::string> broken_codes(const std::vector<db::CheckResult>& checks) {
    std::set<std::string> codes;
    for (const db::CheckResult& check : checks) {
        if (!check.broken.empty()) codes.insert(check.code);
    }
    return codes;
}

}  // namespace

TEST_CASE("self-check: every invariant that raw SQL can break is named") {
    std::set<std::string> tried;
    for (const Breakage& breakage : kBreakages) {
        INFO(std::string(breakage.code) << ": " << std::string(breakage.sql));
        StoreFixture f;
        fill(f);
        REQUIRE(f.connection().exec(kUnguarded));
        const Status done = f.connection().exec(breakage.sql);
        REQUIRE_MESSAGE(done, (done ? "" : done.error().message));
        const auto checks = db::check_database(f.path);
        REQUIRE(checks);
        CHECK(broken_codes(*checks).count(breakage.code) == 1);
        tried.insert(breakage.code);
    }
    StoreFixture f;
    const auto all = db::run_checks(f.connection());
    REQUIRE(all);
    CHECK(all->size() == 21);
    for (const db::CheckResult& check : *all) {
        INFO(check.code);
        CHECK((check.held_by == "design" || tried.count(check.code) == 1));
        CHECK_FALSE(check.meaning.empty());
        CHECK((check.held_by == "design") == check.remedy.empty());
    }
}

TEST_CASE("self-check: what the schema itself refuses") {
    StoreFixture f;
    fill(f);
    const std::pair<const char*, const char*> refused[] = {
        {"illegal_transition", "UPDATE job SET state = 'waiting' WHERE id = 1"},
        {"CHECK", "UPDATE job SET ended_at_ms = 1 WHERE id = 4"},
        {"job_end_is_final", "UPDATE job SET ended_at_ms = 5 WHERE id = 5"},
        {"job_end_is_final", "UPDATE job SET outcome_code = 'other' WHERE id = 5"},
        {"UNIQUE",
         "INSERT INTO attempt (job_id, number, token, device, granted_at_ms) VALUES (2, 2, 't', "
         "'host', 1)"},
        {"lease_in_use", "DELETE FROM lease WHERE job_id = 2"},
        {"attempt_end_is_final", "UPDATE attempt SET end_kind = 'failed' WHERE job_id = 1"},
        {"CHECK", "UPDATE job SET retries_left = -1 WHERE id = 6"},
        {"job_origin_is_final", "UPDATE job SET created_at_ms = 1 WHERE id = 4"},
        {"job_origin_is_final", "UPDATE job SET id = 77 WHERE id = 4"},
        {"event_is_final", "UPDATE event SET data = '' WHERE seq = 2"},
        {"event_in_the_middle", "DELETE FROM event WHERE seq = 2"},
        {"UNIQUE", "INSERT INTO schedule_fire SELECT * FROM schedule_fire"},
        {"UNIQUE", "INSERT INTO idem SELECT * FROM idem"},
        {"UNIQUE",
         "INSERT INTO attempt (job_id, number, token, device, granted_at_ms, end_kind, ended_at_ms) "
         "SELECT job_id, 5, token, device, 1, 'ok', 1 FROM attempt WHERE job_id = 2"},
        {"checkpoint_is_final", "UPDATE checkpoint SET sha256 = 'x'"},
        {"job_is_needed", "DELETE FROM job WHERE id = 2"},
        {"job_is_needed", "DELETE FROM job WHERE id = 4"},
    };
    for (const auto& [word, sql] : refused) {
        INFO(std::string(sql));
        const Status done = f.connection().exec(sql);
        REQUIRE_FALSE(done);
        const bool is_named =
            done.error().message.find(word) != std::string::npos || done.error().reason == "state_conflict";
        CHECK_MESSAGE(is_named, done.error().message);
    }
    f.check_sound();
}

TEST_CASE("self-check: a clock that ran backwards breaks nothing") {
    StoreFixture f;
    const JobId id = f.insert(f.spec());
    f.grant(id);
    Transition transition;
    transition.state = JobState::kSucceeded;
    transition.end = AttemptEnd::kOk;
    transition.outcome = Outcome{"ok", "", 0, {}, false};
    REQUIRE(f.commit([&] {
        return f.store->end_attempt({id, 1}, transition, {}, {}, Bytes{}, kNow - hours(24 * 365), kEvent);
    }));
    CHECK(*f.get(id).ended_at < *f.get(id).started_at);
    f.check_sound();
}

TEST_CASE("self-check: a damaged page is named, and what can still be told is told") {
    StoreFixture f;
    fill(f);
    REQUIRE(f.connection().exec("PRAGMA wal_checkpoint(TRUNCATE)"));
    const auto page = f.connection().scalar("SELECT rootpage FROM sqlite_schema WHERE name = 'label'");
    REQUIRE(page);
    f.store.reset();
    {
        std::fstream file(f.path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp((*page - 1) * 4096);
        file << std::string(4096, '\x5a');
    }
    const auto checks = db::check_database(f.path);
    REQUIRE(checks);
    const auto codes = broken_codes(*checks);
    CHECK(codes.count("file") == 1);
    CHECK(codes.count("I4") == 0);
    CHECK(checks->size() == 22);
}
