#include "db/self_check.h"

#include <array>

#include "db/statement.h"

namespace nightshift::db {

namespace {

constexpr std::size_t kRowsShown = 20;

struct Invariant {
    const char* code;
    const char* name;
    const char* held_by;
    const char* meaning;
    const char* remedy;
    /// Has rows only when something is wrong; null where nothing stored could show it.
    const char* sql;
};

constexpr const char* kReport =
    "Stop the daemon, keep a copy of the data folder, and report this as a defect.";
constexpr const char* kRestore = "Restore a backup: `nightshift backup ls`, then `nightshift restore FILE`.";
constexpr const char* kCancel = "Cancel the jobs named here and submit them again.";

constexpr std::array kJobInvariants{
    Invariant{"I1", "only known states, and only legal changes", "trigger",
              "A job is in a state that does not exist, or the guard of changes is gone.", kRestore,
              "SELECT id FROM job WHERE state NOT IN ('waiting', 'starting', 'running', 'yielding', "
              "'parked', 'stopping', 'succeeded', 'failed', 'cancelled', 'skipped', 'expired') UNION ALL "
              "SELECT 'trigger job_change is missing' WHERE NOT EXISTS (SELECT 1 FROM sqlite_schema "
              "WHERE type = 'trigger' AND name = 'job_change') UNION ALL "
              "SELECT was || ' to ' || becomes FROM legal_change WHERE was NOT IN ('waiting', "
              "'starting', 'running', 'yielding', 'parked', 'stopping') UNION ALL "
              "SELECT 'legal changes are missing' WHERE (SELECT COUNT(*) FROM legal_change) <> 34"},
    Invariant{"I2", "a job has an end and an outcome exactly when it is over", "constraint",
              "The job's end is contradictory: lists and waiting clients may show it as both.", kRestore,
              "SELECT id FROM job WHERE (ended_at_ms IS NULL) <> (state NOT IN ('succeeded', 'failed', "
              "'cancelled', 'skipped', 'expired')) OR (ended_at_ms IS NULL) <> (outcome_code IS NULL) "
              "UNION ALL SELECT 'trigger job_end_is_final is missing' WHERE NOT EXISTS (SELECT 1 FROM "
              "sqlite_schema WHERE type = 'trigger' AND name = 'job_end_is_final')"},
    Invariant{"I3", "a job has at most one live attempt", "constraint",
              "Two processes may work on the same job.", kCancel,
              "SELECT job_id FROM attempt WHERE end_kind IS NULL GROUP BY job_id HAVING COUNT(*) > 1 "
              "UNION ALL SELECT 'index attempt_live is missing' WHERE NOT EXISTS (SELECT 1 FROM "
              "sqlite_schema WHERE type = 'index' AND name = 'attempt_live')"},
    Invariant{"I4", "a job is live exactly when its newest attempt is", "query",
              "The job is shown as running without a process, or the other way round.", kCancel,
              "SELECT id FROM job WHERE state IN ('starting', 'running', 'yielding', 'parked', 'stopping') "
              "AND NOT EXISTS (SELECT 1 FROM attempt WHERE job_id = job.id AND number = job.attempt AND "
              "end_kind IS NULL) UNION ALL "
              "SELECT job_id FROM attempt JOIN job ON job.id = attempt.job_id WHERE end_kind IS NULL AND "
              "(job.attempt <> attempt.number OR job.state NOT IN ('starting', 'running', 'yielding', "
              "'parked', 'stopping'))"},
    Invariant{"I5", "a live attempt holds exactly one lease", "query",
              "Memory is used that the ledger does not count.", kCancel,
              "SELECT job_id FROM attempt WHERE end_kind IS NULL AND NOT EXISTS (SELECT 1 FROM lease WHERE "
              "lease.job_id = attempt.job_id AND lease.number = attempt.number AND is_reclaiming = 0)"},
    Invariant{"I6", "a lease goes only when its memory was seen free", "trigger",
              "Memory is counted for an attempt that is over and was not told to be reclaimed.",
              "Restart the daemon: it looks at every process and lease again.",
              "SELECT lease.job_id FROM lease LEFT JOIN attempt ON attempt.job_id = lease.job_id AND "
              "attempt.number = lease.number WHERE is_reclaiming = (attempt.end_kind IS NULL) OR "
              "attempt.job_id IS NULL UNION ALL SELECT 'trigger lease_in_use is missing' WHERE NOT EXISTS "
              "(SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND name = 'lease_in_use')"},
    Invariant{"I7", "a waiting job knows what it waits for, and that can still happen", "query",
              "The job waits for ever, or starts before its parents are done.", kCancel,
              "SELECT id FROM job WHERE state = 'waiting' AND deps_open <> (SELECT COUNT(*) FROM dep WHERE "
              "job_id = job.id AND is_met = 0) UNION ALL "
              "SELECT dep.job_id FROM dep JOIN job AS child ON child.id = dep.job_id JOIN job AS parent ON "
              "parent.id = dep.on_job WHERE dep.is_met = 0 AND child.state = 'waiting' AND "
              "parent.ended_at_ms IS NOT NULL"},
    // A job is older than those that name it, except after an edit: every circle has an edge back.
    Invariant{"I8", "no job waits for itself", "query", "The jobs of the circle wait for ever.",
              "Take one of them out of `after` (`nightshift edit`), or cancel one.",
              "SELECT back.job_id FROM dep AS back WHERE back.on_job >= back.job_id AND back.is_met = 0 AND "
              "back.job_id IN (WITH RECURSIVE above (id) AS (SELECT back.on_job UNION SELECT dep.on_job FROM "
              "dep JOIN above ON dep.job_id = above.id WHERE dep.is_met = 0) SELECT id FROM above)"},
    Invariant{"I9", "only failures use up retries", "query",
              "The job has fewer retries left than its failed attempts explain.",
              "`nightshift retry` the job when it has failed.",
              "SELECT id FROM job WHERE retries > 0 AND retries - retries_left > (SELECT COUNT(*) FROM "
              "attempt WHERE job_id = job.id AND end_kind NOT IN ('ok', 'preempted', 'cancelled'))"},
    Invariant{"I10", "ids and times of submission never change, ids are never used again", "trigger",
              "A new job may get the number of an old one.", kReport,
              "SELECT 'ids may be used again' WHERE (SELECT MAX(id) FROM job) > COALESCE((SELECT seq FROM "
              "sqlite_sequence WHERE name = 'job'), 0) UNION ALL "
              "SELECT 'trigger job_origin_is_final is missing' WHERE NOT EXISTS (SELECT 1 FROM "
              "sqlite_schema WHERE type = 'trigger' AND name = 'job_origin_is_final')"},
};

constexpr std::array kHistoryInvariants{
    // Retention cuts the log from its oldest end, so only the oldest jobs may lack their submission.
    Invariant{"I11", "every change has its event, and their numbers have no gap", "query",
              "Listeners and the history miss something.", kReport,
              "SELECT 'numbers have a gap' WHERE (SELECT MAX(seq) - MIN(seq) + 1 - COUNT(*) FROM event) <> 0 "
              "UNION ALL SELECT 'the newest are missing' WHERE (SELECT MAX(seq) FROM event) <> (SELECT seq "
              "FROM sqlite_sequence WHERE name = 'event') UNION ALL "
              "SELECT id FROM job WHERE id > (SELECT MIN(job_id) FROM event WHERE job_id <> 0 AND kind = "
              "'submitted') AND NOT EXISTS (SELECT 1 FROM event WHERE event.job_id = job.id AND "
              "event.job_id <> 0)"},
    Invariant{"I12", "a schedule fires once for each nominal time", "constraint",
              "A night may be run twice or not at all.",
              "Look at the schedule's next fires (`nightshift schedule next NAME`).",
              "SELECT name FROM schedule WHERE COALESCE(last_fire_ms, 0) < (SELECT MAX(nominal_ms) FROM "
              "schedule_fire WHERE schedule_id = schedule.id)"},
    Invariant{"I13", "an Idempotency-Key answers with its job", "constraint",
              "Sending a request again could answer with a job that does not exist.",
              "Use new keys for the requests in question.",
              "SELECT idem.key FROM idem, json_each('[' || replace(jobs, ' ', ',') || ']') AS made WHERE NOT "
              "EXISTS (SELECT 1 FROM job WHERE job.id = made.value)"},
    Invariant{"I14", "no unique key depends on a state", "constraint",
              "A change of state could fail because of another job.", kReport,
              "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE 'CREATE UNIQUE INDEX%WHERE%' "
              "AND name NOT IN ('attempt_live', 'wait_span_open')"},
    Invariant{"I15", "a job resumes only from a committed checkpoint", "query",
              "The job would start over, or from something that was not saved whole.",
              "`nightshift retry` the job; its checkpoint is looked for again.",
              "SELECT id FROM job WHERE has_checkpoint <> EXISTS (SELECT 1 FROM checkpoint WHERE job_id = "
              "job.id AND is_bad = 0) UNION ALL SELECT job_id FROM checkpoint WHERE is_bad = 0 AND "
              "(sha256 = '' OR path = '') UNION ALL SELECT 'trigger checkpoint_is_final is missing' WHERE "
              "NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND name = "
              "'checkpoint_is_final')"},
    Invariant{"I16", "order comes from numbers, never from clocks", "design", "Nothing: clocks may jump.", "",
              nullptr},
    Invariant{"I17", "no secret in events or tokens", "query",
              "A secret could be read by whoever reads the history.",
              "Remove nightshift's *.hdr files and restart the daemon: it makes new credentials.",
              "SELECT event.seq FROM attempt JOIN event ON event.job_id = attempt.job_id AND event.job_id <> "
              "0 WHERE length(attempt.token) >= 16 AND instr(event.data, attempt.token) > 0 UNION ALL "
              "SELECT label FROM token WHERE length(sha256) <> 64 OR sha256 GLOB '*[^0-9a-f]*'"},
    Invariant{"I18", "one decision has one plan number", "query",
              "An explanation cannot be matched with the decision it explains.", kReport,
              "SELECT seq FROM event WHERE kind = 'starting' AND json_valid(data) AND json_extract(data, "
              "'$.plan_seq') > COALESCE((SELECT CAST(value AS INTEGER) FROM setting WHERE name = "
              "'plan_seq'), 0) UNION ALL SELECT MAX(seq) FROM event WHERE kind = 'starting' AND "
              "json_valid(data) AND json_extract(data, '$.plan_seq') IS NOT NULL GROUP BY job_id, "
              "json_extract(data, '$.plan_seq') HAVING COUNT(*) > 1"},
    Invariant{"I19", "positions in a log never move", "design", "Nothing: logs are files that only grow.", "",
              nullptr},
    Invariant{"I20", "nothing is deleted that an unfinished job needs", "trigger",
              "A job waits for, or continues, something that is gone.", kCancel,
              "SELECT id FROM job WHERE ended_at_ms IS NULL AND dependencies <> (SELECT COUNT(*) FROM dep "
              "WHERE job_id = job.id) UNION ALL SELECT \"table\" || ' refers to a missing row' FROM "
              "pragma_foreign_key_check UNION ALL SELECT 'trigger job_is_needed is missing' WHERE NOT EXISTS "
              "(SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND name = 'job_is_needed')"},
    Invariant{"tally", "the counts by state are right", "trigger",
              "Numbers of jobs shown on top of lists are wrong.", kReport,
              "SELECT state || ' ' || kind FROM (SELECT state, class, kind, COUNT(*) AS n FROM job GROUP BY "
              "state, class, kind) AS real LEFT JOIN tally USING (state, class, kind) WHERE tally.count IS "
              "NOT real.n"},
};

/// All of them, in order.
std::vector<Invariant> invariants() {
    std::vector<Invariant> all(kJobInvariants.begin(), kJobInvariants.end());
    all.insert(all.end(), kHistoryInvariants.begin(), kHistoryInvariants.end());
    return all;
}

CheckResult result_of(const Invariant& invariant) {
    return {invariant.code, invariant.name, invariant.held_by, invariant.meaning, invariant.remedy, {}};
}

Result<CheckResult> run_check(Connection& connection, const Invariant& invariant) {
    CheckResult result = result_of(invariant);
    if (invariant.sql == nullptr) return result;
    Statement rows(connection, invariant.sql);
    while (result.broken.size() < kRowsShown) {
        const auto has_row = rows.step();
        if (!has_row) return has_row.error();
        if (!*has_row) break;
        result.broken.push_back(rows.text(0));
    }
    return result;
}

/// SQLite's own look at every page and index entry.
Result<CheckResult> check_file(Connection& connection) {
    CheckResult result{"file",   "every page of the file can be read",
                       "query",  "The disk or another program has damaged nightshift.db.",
                       kRestore, {}};
    Statement rows(connection,
                   "SELECT integrity_check FROM pragma_integrity_check(20) WHERE integrity_check <> 'ok'");
    const Status read = rows.each([&] { result.broken.push_back(rows.text(0)); });
    if (!read && read.error().code != ErrorCode::kCorrupt) return read.error();
    if (!read) result.broken.push_back(read.error().message);
    return result;
}

}  // namespace

Result<std::vector<CheckResult>> run_checks(Connection& connection) {
    std::vector<CheckResult> results;
    for (const Invariant& invariant : invariants()) {
        auto result = run_check(connection, invariant);
        if (!result) return result.error();
        results.push_back(std::move(*result));
    }
    return results;
}

Result<std::vector<CheckResult>> check_database(const std::string& path) {
    auto connection = Connection::open(path, Connection::Mode::kReader);
    if (!connection) return connection.error();
    // All of it on one state of the database, whatever is written meanwhile.
    NIGHTSHIFT_TRY((*connection)->exec("BEGIN"));
    auto file = check_file(**connection);
    if (!file) return file.error();
    std::vector<CheckResult> results{std::move(*file)};
    for (const Invariant& invariant : invariants()) {
        auto result = run_check(**connection, invariant);
        if (!result && result.error().code != ErrorCode::kCorrupt) return result.error();
        if (result) {
            results.push_back(std::move(*result));
            continue;
        }
        results.push_back(result_of(invariant));
        results.back().broken.push_back("cannot be told: " + result.error().message);
    }
    return results;
}

}  // namespace nightshift::db
