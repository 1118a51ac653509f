// What must not grow with the number of jobs, counted in SQLite's own steps: times would tell of the machine.
#include <sqlite3.h>

#include <algorithm>
#include <random>
#include <set>

#include "db/job_pages.h"
#include "tests/db/store_fixture.h"
#include "tests/support/seed.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

constexpr int kFew = 1'000;
constexpr int kMany = 8'000;
/// Steps of SQLite's virtual machine, triggers included, for a submit of a plain job.
constexpr std::int64_t kSubmitStepsMax = 545;

void fill(const StoreFixture& f, int count) {
    const std::vector<std::string> kinds{"sleep", "command", "score"};
    REQUIRE(f.store->begin());
    for (int i = 0; i < count; ++i) {
        JobSpec spec = f.spec("many " + std::to_string(i % 100));
        spec.priority = i % 3;
        spec.kind = kinds[static_cast<std::size_t>(i % 3)];
        spec.job_class = kJobClasses[static_cast<std::size_t>(i % 4)];
        const auto id =
            f.store->insert_job(spec, i % 5 == 0 ? "nightly" : "", {}, {}, 1'000'000, kNow, kEvent);
        REQUIRE(id);
        if (i % 2 == 0) continue;
        const Outcome outcome{"cancelled", "words", {}, {}, false};
        REQUIRE(f.store->finish_waiting(*id, JobState::kCancelled, outcome, kNow, kEvent));
    }
    REQUIRE(f.store->commit());
    f.store->take_new_events();
}

template <typename Action>
db::Work work_of(db::Connection& connection, Action&& action) {
    const db::Work before = connection.work();
    action();
    const db::Work& after = connection.work();
    return {after.statements - before.statements, after.vm_steps - before.vm_steps,
            after.full_scan_steps - before.full_scan_steps, after.sorts - before.sorts};
}

/// Every kind of statement that a busy day runs, so that its plan can be asked for.
void live_a_day(const StoreFixture& f) {
    JobSpec spec = f.spec();
    spec.labels = {{"who", "밤"}};
    spec.not_before = kNow + hours(1);
    spec.start_deadline = kNow + hours(2);
    const JobId later = f.insert(spec);
    const JobId parent = f.insert(f.spec());
    spec = f.spec("child");
    spec.after = {{parent, DependencyKind::kSuccess}};
    f.insert(spec);
    REQUIRE(f.commit([&] { return f.store->set_held(parent, true, kNow, kEvent); }));
    REQUIRE(f.commit([&] { return f.store->set_held(parent, false, kNow, kEvent); }));
    REQUIRE(f.commit([&] { return f.store->move_job(parent, later, true, kNow, kEvent); }));
    REQUIRE(f.commit([&] { return f.store->set_wait_reasons(parent, {"vram_budget"}, kNow); }));
    REQUIRE(f.commit([&] { return f.store->set_wait_reasons(parent, {"held"}, kNow); }));
    REQUIRE(f.commit([&] { return f.store->set_eligible(parent, true, kNow); }));
    const auto woken = f.commit([&] { return f.store->wake_due(kNow + hours(1), 100); });
    REQUIRE(woken);
    CHECK(f.store->jobs_past_start_deadline(kNow, 100));
    Snapshot snapshot;
    REQUIRE(f.store->load_planning(snapshot, kNow));
    const Attempt attempt = f.grant(parent);
    REQUIRE(f.store->load_planning(snapshot, kNow));
    REQUIRE(f.commit([&] { return f.store->set_worker(attempt.id, {"boot", 5, 6}); }));
    REQUIRE(f.commit(
        [&] { return f.store->set_running(attempt.id, {}, EnforcementGrade::kNone, kNow, kEvent); }));
    REQUIRE(f.end(attempt.id, JobState::kSucceeded, AttemptEnd::kOk));
    REQUIRE(f.commit([&] { return f.store->release_lease(attempt.id); }));
    CHECK(f.store->open_jobs_of_schedule("nightly"));
    CHECK(f.store->idempotent("submit", "key"));
    REQUIRE(
        f.commit([&] { return f.store->remember_idempotent("submit", "key", {"hash", {parent}}, kNow); }));
}

std::vector<db::JobFilter> filters() {
    std::vector<db::JobFilter> all;
    for (int i = 0; i < 32; ++i) {
        db::JobFilter filter;
        filter.limit = 10;
        if ((i & 1) != 0) filter.states = {JobState::kWaiting, JobState::kFailed};
        if ((i & 2) != 0) filter.kinds = {"command", "none"};
        if ((i & 4) != 0) filter.classes = {JobClass::kTraining};
        if ((i & 8) != 0) filter.schedule = "nightly";
        if ((i & 16) != 0) filter.before_id = 300;
        all.push_back(filter);
        filter.states = {JobState::kFailed};  // no job is in it
        all.push_back(filter);
    }
    return all;
}

/// The steps of a plan that walk a table or sort its rows.
std::vector<std::string> walks_of(sqlite3* handle, const char* sql) {
    std::vector<std::string> walks;
    sqlite3_stmt* statement = nullptr;
    const std::string question = std::string("EXPLAIN QUERY PLAN ") + sql;
    REQUIRE_MESSAGE(sqlite3_prepare_v2(handle, question.c_str(), -1, &statement, nullptr) == SQLITE_OK, sql);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const std::string step = reinterpret_cast<const char*>(sqlite3_column_text(statement, 3));
        const bool is_walk = step.rfind("SCAN ", 0) == 0 && step.find(" USING ") == std::string::npos &&
                             step != "SCAN CONSTANT ROW";
        if (is_walk || step.find("TEMP B-TREE") != std::string::npos) walks.push_back(step);
    }
    sqlite3_finalize(statement);
    return walks;
}

/// The instructions of a statement's program, by name.
std::multiset<std::string> opcodes_of(sqlite3* handle, const char* sql) {
    std::multiset<std::string> opcodes;
    sqlite3_stmt* statement = nullptr;
    const std::string question = std::string("EXPLAIN ") + sql;
    REQUIRE_MESSAGE(sqlite3_prepare_v2(handle, question.c_str(), -1, &statement, nullptr) == SQLITE_OK, sql);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        opcodes.insert(reinterpret_cast<const char*>(sqlite3_column_text(statement, 1)));
    }
    sqlite3_finalize(statement);
    return opcodes;
}

}  // namespace

TEST_CASE("scale: a submit and a pass cost as much behind many jobs as behind few") {
    StoreFixture f;
    const auto submits = [&] {
        return work_of(f.connection(), [&] {
            for (int i = 0; i < 50; ++i) f.insert(f.spec());
        });
    };
    const auto pass = [&] {
        return work_of(f.connection(), [&] {
            Snapshot snapshot;
            REQUIRE(f.store->load_planning(snapshot, kNow));
        });
    };
    fill(f, kFew);
    pass();  // estimates are read once
    const db::Work few_submits = submits();
    const db::Work few_pass = pass();
    fill(f, kMany);
    const db::Work many_submits = submits();
    const db::Work many_pass = pass();
    CHECK(many_submits.statements == few_submits.statements);
    CHECK(many_submits.vm_steps <= few_submits.vm_steps * 11 / 10);
    CHECK(many_submits.sorts == 0);
    CHECK(many_pass.statements == few_pass.statements);
    CHECK(many_pass.vm_steps <= few_pass.vm_steps * 11 / 10);
    // A submit is few statements: a limit on the count keeps the next one from slipping in unseen.
    MESSAGE("statements of a submit: ", few_submits.statements / 50.0);
    MESSAGE("steps of a submit: ", static_cast<double>(few_submits.vm_steps) / 50.0);
    CHECK(few_submits.statements <= 50 * 4);
    CHECK(few_submits.vm_steps <= 50 * kSubmitStepsMax);
}

TEST_CASE("scale: writing a job or an attempt makes SQLite build no table of its own") {
    // It does for a list in a CHECK or in the condition of an index, at every row.
    StoreFixture f;
    live_a_day(f);
    int asked = 0;
    for (const char* text : f.connection().prepared()) {
        const std::string_view sql(text);
        const bool is_write = sql.starts_with("INSERT INTO job") || sql.starts_with("INSERT INTO event") ||
                              sql.starts_with("INSERT INTO attempt") || sql.starts_with("UPDATE job SET") ||
                              sql.starts_with("UPDATE attempt SET");
        // What a statement itself asks with a list is not meant.
        if (!is_write || sql.find(" IN (") != std::string_view::npos) continue;
        CAPTURE(std::string(sql));
        CHECK(opcodes_of(f.connection().handle(), text).count("OpenEphemeral") == 0);
        ++asked;
    }
    CHECK(asked >= 10);
}

TEST_CASE("scale: a page costs as much over many jobs as over few, whatever it is filtered by") {
    StoreFixture f;
    fill(f, kFew);
    auto connection = db::Connection::open(f.path, db::Connection::Mode::kReader);
    REQUIRE(connection);
    const auto steps = [&](const db::JobFilter& filter) {
        const auto ask = [&] { REQUIRE(db::read_job_page(**connection, filter)); };
        ask();  // statements are prepared
        return work_of(**connection, ask).vm_steps;
    };
    std::vector<std::int64_t> few;
    for (const db::JobFilter& filter : filters()) few.push_back(steps(filter));
    fill(f, kMany);
    std::size_t next = 0;
    for (const db::JobFilter& filter : filters()) {
        CAPTURE(next);
        CHECK(steps(filter) <= few[next] * 3 / 2 + 500);
        ++next;
    }
    db::JobFilter absent;
    absent.text = "no job is called this";
    CHECK(steps(absent) < db::kPageRowsMax * 40);
}

TEST_CASE("scale: every statement of a day and of a list goes by an index") {
    StoreFixture f;
    fill(f, 200);
    live_a_day(f);
    auto connection = db::Connection::open(f.path, db::Connection::Mode::kReader);
    REQUIRE(connection);
    for (const db::JobFilter& filter : filters()) REQUIRE(db::read_job_page(**connection, filter));
    std::set<const char*> texts;
    for (const char* text : f.connection().prepared()) texts.insert(text);
    for (const char* text : (*connection)->prepared()) texts.insert(text);
    CHECK(texts.size() > 40);
    // Tables with a row for each state, live attempt, kind or setting, and SQLite's own of counters.
    const std::set<std::string> small{"SCAN tally", "SCAN lease", "SCAN sqlite_sequence", "SCAN setting"};
    sqlite3* handle = nullptr;
    REQUIRE(sqlite3_open_v2(f.path.c_str(), &handle, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
    for (const char* text : texts) {
        const std::string_view sql(text);
        if (sql.rfind("SAVEPOINT", 0) == 0 || sql.rfind("RELEASE", 0) == 0) continue;
        for (const std::string& walk : walks_of(handle, text)) {
            // Sorts of a day's hours, and of the few oldest jobs.
            const bool sorts_few = sql.find("FROM gpu_time") != std::string_view::npos ||
                                   sql.find("INDEXED BY job_order WHERE") != std::string_view::npos;
            if (sorts_few && walk.rfind("USE TEMP B-TREE", 0) == 0) continue;
            CAPTURE(std::string(sql));
            CHECK_MESSAGE(small.count(walk) == 1, walk);
        }
    }
    sqlite3_close(handle);
}

TEST_CASE("scale: planning_version stands still only over what a pass cannot see") {
    StoreFixture f;
    std::mt19937_64 random(seed());
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<std::uint64_t>(n)); };
    const auto seen = [&] {
        Snapshot snapshot;
        REQUIRE(f.store->load_planning(snapshot, kNow));
        std::vector<std::int64_t> ids;
        for (const auto& jobs : snapshot.candidates) {
            for (const Job& job : jobs) ids.push_back(job.id.value);
            ids.push_back(0);
        }
        for (const LiveJob& live : snapshot.live) ids.push_back(live.job.id.value);
        ids.push_back(snapshot.next_timer_hint.value_or(UnixMs{-1}).value);
        return ids;
    };
    std::vector<JobId> jobs;
    int stood_still = 0;
    int moved = 0;
    auto before = seen();
    for (int i = 0; i < 600; ++i) {
        const std::int64_t version = f.store->planning_version();
        const int what = jobs.empty() ? 0 : below(10);
        const JobId one = jobs.empty() ? JobId{} : jobs[random() % jobs.size()];
        if (what < 7) {
            JobSpec spec = f.spec();
            spec.priority = below(4) == 0 ? below(5) - 2 : 0;
            spec.hold = below(5) == 0;
            if (below(12) == 0) spec.not_before = kNow + minutes(below(600) - 60);
            if (below(12) == 0) spec.start_deadline = kNow + minutes(below(600) + 60);
            if (!jobs.empty() && below(10) == 0) spec.after = {{one, DependencyKind::kAny}};
            jobs.push_back(f.insert(spec));
        } else if (what == 7) {
            static_cast<void>(f.commit([&] { return f.store->set_held(one, below(2) == 0, kNow, kEvent); }));
        } else if (what == 8) {
            const Outcome outcome{"cancelled", "words", {}, {}, false};
            static_cast<void>(f.commit(
                [&] { return f.store->finish_waiting(one, JobState::kCancelled, outcome, kNow, kEvent); }));
        } else {
            static_cast<void>(
                f.commit([&] { return f.store->move_job(one, {}, below(2) == 0, kNow, kEvent); }));
        }
        const bool is_same = f.store->planning_version() == version;
        const auto after = seen();
        if (is_same) CHECK(after == before);
        (is_same ? stood_still : moved) += 1;
        before = after;
    }
    // Both must happen, or the test says nothing.
    CHECK(stood_still > 50);
    CHECK(moved > 50);
    f.check_sound();
}
