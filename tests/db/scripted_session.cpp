#include "tests/db/scripted_session.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "tests/db/store_fixture.h"

namespace nightshift::tests {

namespace {

constexpr std::int64_t kWaitingMax = 1'000'000;
constexpr int kJobsOfBatch = 12;
constexpr std::size_t kLongParams = 40'000;

db::EventText told(const char* kind) {
    return {"job", kind, "tester", R"({"왜":"시험"})"};
}
template <typename T>
Status status_of(const Result<T>& result) {
    if (!result) return result.error();
    return {};
}

/// The jobs of one round have fixed ids: rows that were rolled back give theirs back.
struct Round {
    int number;
    UnixMs at;
    JobId first, second, third;

    std::string text(const char* what) const { return what + std::to_string(number); }
};

Status insert(db::Store& store, const Round& round, const std::string& name, JobId after = {},
              std::size_t params_bytes = 2) {
    JobSpec spec = StoreFixture::spec(name);
    spec.labels = {{"줄", round.text("r")}};
    spec.params_json = std::string(params_bytes, ' ');
    if (after.value != 0) spec.after.push_back({after, DependencyKind::kSuccess});
    return status_of(store.insert_job(spec, "", {}, {}, kWaitingMax, round.at, told("submitted")));
}

Status end(db::Store& store, AttemptId id, JobState to, AttemptEnd how, UnixMs at) {
    Transition transition;
    transition.state = to;
    transition.end = how;
    transition.counts_preemption = how == AttemptEnd::kPreempted;
    if (is_terminal(to)) transition.outcome = Outcome{"ok", "끝", 0, {}, false};
    AttemptReport report;
    report.run_time = seconds(30);
    wire::Artifact artifact;
    artifact.name = "model/가중치.bin";
    artifact.type = "model";
    artifact.bytes = mebibytes(1);
    artifact.sha256 = std::string(64, 'a');
    return status_of(store.end_attempt(id, transition, report, {artifact}, gibibytes(1), at, told("ended")));
}

void add_submits(std::vector<SessionStep>& steps, const Round& r) {
    steps.push_back({"submit", [r](db::Store& s) { return insert(s, r, "첫째"); }});
    steps.push_back({"submit with a parent", [r](db::Store& s) { return insert(s, r, "둘째", r.first); }});
    steps.push_back(
        {"submit with a key", [r](db::Store& s) -> Status {
             NIGHTSHIFT_TRY(insert(s, r, "셋째", {}, kLongParams));
             return s.remember_idempotent("submit", r.text("key"), {"hash", {r.third}}, r.at + hours(1));
         }});
    steps.push_back({"batch",
                     [r](db::Store& s) -> Status {
                         for (int i = 0; i < kJobsOfBatch; ++i) {
                             NIGHTSHIFT_TRY(s.savepoint());
                             NIGHTSHIFT_TRY(insert(s, r, "batch " + std::to_string(i)));
                             NIGHTSHIFT_TRY(s.release_savepoint());
                         }
                         return {};
                     },
                     r.number % 2 == 0});
}

void add_first_attempt(std::vector<SessionStep>& steps, const Round& r) {
    const AttemptId attempt{r.first, 1};
    steps.push_back({"grant", [r](db::Store& s) {
                         return status_of(s.grant(r.first, r.text("token-1-"), "host", gibibytes(2), r.at,
                                                  told("starting")));
                     }});
    steps.push_back({"worker", [attempt](db::Store& s) { return s.set_worker(attempt, {"boot", 12, 34}); }});
    steps.push_back({"running", [attempt, r](db::Store& s) {
                         return s.set_running(attempt, ProcessIdentity{"boot", 13, 35},
                                              EnforcementGrade::kAllocator, r.at, told("started"));
                     }});
    steps.push_back({"progress", [attempt](db::Store& s) -> Status {
                         Progress progress;
                         progress.phase = "학습";
                         progress.step = 3;
                         progress.metrics = {{"loss", 0.25}};
                         NIGHTSHIFT_TRY(s.set_progress(attempt, progress));
                         NIGHTSHIFT_TRY(s.set_ran(attempt, seconds(40)));
                         return s.set_lease_use(attempt, gibibytes(1), gibibytes(1));
                     }});
    steps.push_back({"checkpoint",
                     [r](db::Store& s) {
                         return s.add_checkpoint(
                             {r.first, 1, "checkpoints/하나", 3, mebibytes(4), std::string(64, 'c'), r.at},
                             r.at, told("checkpoint"));
                     },
                     true});
    steps.push_back({"yield", [attempt, r](db::Store& s) {
                         return s.set_yielding(attempt, r.second, "preempted", r.at + seconds(60), r.at,
                                               told("yielding"));
                     }});
    steps.push_back({"preempted", [attempt, r](db::Store& s) {
                         return end(s, attempt, JobState::kWaiting, AttemptEnd::kPreempted, r.at);
                     }});
    steps.push_back({"seen free", [attempt](db::Store& s) { return s.release_lease(attempt); }});
}

void add_second_attempt(std::vector<SessionStep>& steps, const Round& r) {
    const AttemptId attempt{r.first, 2};
    steps.push_back({"grant again", [attempt, r](db::Store& s) -> Status {
                         NIGHTSHIFT_TRY(status_of(s.grant(r.first, r.text("token-2-"), "host", gibibytes(2),
                                                          r.at, told("starting"))));
                         NIGHTSHIFT_TRY(s.set_worker(attempt, {"boot", 22, 44}));
                         return s.set_setting("plan_seq", std::to_string(r.number * 10));
                     }});
    steps.push_back({"end", [attempt, r](db::Store& s) {
                         return end(s, attempt, JobState::kSucceeded, AttemptEnd::kOk, r.at);
                     }});
    steps.push_back({"free again", [attempt](db::Store& s) { return s.release_lease(attempt); }, true});
}

void add_the_rest(std::vector<SessionStep>& steps, const Round& r) {
    steps.push_back({"schedule", [r](db::Store& s) {
                         Schedule schedule;
                         schedule.name = "밤 " + r.text("s");
                         schedule.cron_text = "0 22 * * *";
                         schedule.timezone = "Asia/Seoul";
                         schedule.jobs_json = R"([{"kind":"sleep"}])";
                         schedule.next_fire_at = r.at;
                         return s.put_schedule(schedule, true, r.at, told("stored"));
                     }});
    steps.push_back({"fire", [r](db::Store& s) -> Status {
                         const auto fired =
                             s.record_fire(ScheduleId{r.number + 1}, r.at, "run", "", r.at, told("fired"));
                         if (!fired) return fired.error();
                         if (!*fired) return Error{ErrorCode::kConflict, "fired_twice", "", "", ""};
                         NIGHTSHIFT_TRY(s.set_next_fire(ScheduleId{r.number + 1}, r.at + hours(24)));
                         return status_of(s.insert_job(StoreFixture::spec("밤일"), "밤 " + r.text("s"), r.at,
                                                       {}, kWaitingMax, r.at, told("submitted")));
                     }});
    steps.push_back({"cancel", [r](db::Store& s) {
                         return status_of(s.finish_waiting(r.second, JobState::kCancelled,
                                                           {"cancelled", "취소", {}, {}, false}, r.at,
                                                           told("cancelled")));
                     }});
    steps.push_back({"hold and move", [r](db::Store& s) -> Status {
                         NIGHTSHIFT_TRY(s.set_held(r.third, true, r.at, told("held")));
                         NIGHTSHIFT_TRY(s.move_job(r.third, {}, true, r.at, told("moved")));
                         return s.set_wait_reasons(r.third, {"held", "paused"}, r.at);
                     }});
    steps.push_back({"edit", [r](db::Store& s) -> Status {
                         const auto job = s.job(r.third);
                         if (!job) return job.error();
                         JobSpec spec = (**job).spec;
                         spec.priority = 7;
                         spec.labels = {{"새", "것"}};
                         return s.update_spec(r.third, spec, (**job).version, r.at, told("edited"));
                     }});
    steps.push_back({"token and policy", [r](db::Store& s) -> Status {
                         NIGHTSHIFT_TRY(s.put_token({std::string(64, static_cast<char>('a' + r.number % 6)),
                                                     "viewer", "시험", r.at}));
                         return s.set_setting("policy", r.text(R"({"n":)") + "}");
                     }});
    steps.push_back(
        {"import begins and brings a line", [r](db::Store& s) -> Status {
             const auto import = s.begin_import("other", "tester");
             if (!import) return import.error();
             db::ImportCounts counts;
             return s.add_imported(*import, {"other", "job", "", r.number + 1, 1, R"({"일":1})", {}}, counts);
         }});
    steps.push_back({"import is whole",
                     [r](db::Store& s) {
                         db::ImportCounts counts;
                         counts.added = 1;
                         return s.finish_import(r.number + 1, "chain", counts, r.at,
                                                told("history_imported"));
                     },
                     true});
    steps.push_back({"retention", [r](db::Store& s) { return s.prune(r.at - hours(2), r.at - hours(2), 50); },
                     r.number % 3 == 1});
}

/// FNV-1a, 64 bits: wide enough that two contents of a test do not meet.
std::uint64_t hash_of(const std::string& text) {
    std::uint64_t hash = 14695981039346656037U;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    return hash;
}

}  // namespace

std::vector<SessionStep> scripted_session(int rounds) {
    std::vector<SessionStep> steps;
    std::int64_t id = 1;
    for (int i = 0; i < rounds; ++i) {
        const Round round{i, kNow + hours(i), JobId{id}, JobId{id + 1}, JobId{id + 2}};
        add_submits(steps, round);
        add_first_attempt(steps, round);
        add_second_attempt(steps, round);
        add_the_rest(steps, round);
        id += 3 + kJobsOfBatch + 1;
    }
    return steps;
}

std::string fingerprint(const std::string& path) {
    sqlite3* handle = nullptr;
    REQUIRE(sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
    const auto each_row = [handle](const std::string& sql, auto&& row) {
        sqlite3_stmt* statement = nullptr;
        REQUIRE(sqlite3_prepare_v2(handle, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
        int code = SQLITE_OK;
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) row(statement);
        sqlite3_finalize(statement);
        REQUIRE(code == SQLITE_DONE);
    };
    std::vector<std::string> tables;
    each_row("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name", [&](sqlite3_stmt* row) {
        tables.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(row, 0)));
    });
    std::string text;
    for (const std::string& table : tables) {
        std::string content;
        // Each database has a name of its own.
        const std::string but = table == "setting" ? " WHERE name <> 'database_id'" : "";
        each_row("SELECT * FROM \"" + table + "\"" + but, [&](sqlite3_stmt* row) {
            for (int i = 0; i < sqlite3_column_count(row); ++i) {
                const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row, i));
                const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, i));
                content += std::to_string(sqlite3_column_type(row, i)) + ":" + std::to_string(size) + ":";
                if (bytes != nullptr) content.append(bytes, size);
            }
            content += "\n";
        });
        text += table + "=" + std::to_string(hash_of(content)) + " ";
    }
    sqlite3_close(handle);
    return text;
}

}  // namespace nightshift::tests
