#include "db/sqlite_store.h"

namespace nightshift::db {

namespace {

/// One broken invariant: a query that has rows only when something is wrong (scheduler.md 5.4).
struct Check {
    const char* name;
    const char* sql;
};

constexpr Check kChecks[] = {
    {"terminal without an end or an outcome (I2)",
     "SELECT id FROM job WHERE (ended_at_ms IS NULL) <> (state NOT IN ('succeeded', 'failed', 'cancelled', "
     "'skipped', "
     "'expired')) OR (ended_at_ms IS NULL) <> (outcome_code IS NULL)"},
    {"live job without exactly one live attempt (I3, I4)",
     "SELECT id FROM job WHERE (state IN ('starting', 'running', 'yielding', 'parked', 'stopping')) <> "
     "(SELECT COUNT(*) FROM attempt WHERE job_id = job.id AND number = job.attempt AND end_kind IS NULL) "
     "AND (attempt > 0 OR state <> 'waiting')"},
    {"live attempt without a lease (I5)",
     "SELECT job_id FROM attempt WHERE end_kind IS NULL AND NOT EXISTS (SELECT 1 FROM lease WHERE "
     "lease.job_id = "
     "attempt.job_id AND lease.number = attempt.number AND is_reclaiming = 0)"},
    {"dependency count wrong (I7)",
     "SELECT id FROM job WHERE state = 'waiting' AND deps_open <> (SELECT COUNT(*) FROM dep WHERE job_id = "
     "job.id AND "
     "is_met = 0) AND (dependencies > 0 OR deps_open > 0)"},
    {"waiting for a job that has ended (I7)",
     "SELECT dep.job_id FROM dep JOIN job AS child ON child.id = dep.job_id JOIN job AS parent ON parent.id "
     "= "
     "dep.on_job WHERE dep.is_met = 0 AND child.state = 'waiting' AND parent.ended_at_ms IS NOT NULL"},
    {"event numbers have a gap (I11)",
     "SELECT MAX(seq) FROM event HAVING COUNT(*) > 0 AND MAX(seq) - MIN(seq) + 1 <> COUNT(*)"},
    {"count by state wrong",
     "SELECT 1 FROM (SELECT state, class, kind, COUNT(*) AS n FROM job GROUP BY state, class, kind) AS real "
     "LEFT JOIN tally USING (state, class, kind) WHERE tally.count IS NOT real.n"},
    {"reference to a missing row", "SELECT 1 FROM pragma_foreign_key_check"},
};

}  // namespace

Result<std::vector<std::string>> SqliteStore::self_check() {
    std::vector<std::string> broken;
    for (const Check& check : kChecks) {
        Statement rows(*connection_, check.sql);
        const auto has_row = rows.step();
        if (!has_row) return has_row.error();
        if (*has_row) broken.push_back(std::string(check.name) + ": " + rows.text(0));
    }
    return broken;
}

Status SqliteStore::prune(UnixMs jobs_before, UnixMs events_before, int limit) {
    // A finished job stays while an unfinished one depends on it or continues its work.
    Statement jobs(
        *connection_,
        "DELETE FROM job WHERE id IN (SELECT j.id FROM job AS j WHERE j.ended_at_ms IS NOT NULL AND "
        "j.ended_at_ms < ?1 AND NOT EXISTS (SELECT 1 FROM dep JOIN job AS child ON child.id = dep.job_id "
        "WHERE dep.on_job = j.id AND child.ended_at_ms IS NULL) AND NOT EXISTS (SELECT 1 FROM lease WHERE "
        "lease.job_id = j.id) ORDER BY j.ended_at_ms LIMIT ?2)",
        jobs_before, limit);
    NIGHTSHIFT_TRY(jobs.run());
    // From the oldest on, so that the numbers kept have no gap.
    Statement events(
        *connection_,
        "DELETE FROM event WHERE seq <= (SELECT MAX(seq) FROM (SELECT seq FROM event WHERE at_ms < ?1 "
        "ORDER BY seq LIMIT ?2)) AND at_ms < ?1",
        events_before, limit);
    NIGHTSHIFT_TRY(events.run());
    Statement idem(
        *connection_,
        "DELETE FROM idem WHERE (scope, key) IN (SELECT scope, key FROM idem WHERE expires_at_ms < ?1 "
        "ORDER BY expires_at_ms LIMIT ?2)",
        events_before, limit);
    NIGHTSHIFT_TRY(idem.run());
    Statement preemptions(*connection_, "DELETE FROM preemption WHERE at_ms < ?", events_before);
    NIGHTSHIFT_TRY(preemptions.run());
    // The last row with a policy and the last with devices stay: later rows rest on them.
    Statement plans(
        *connection_,
        "DELETE FROM plan_log WHERE plan_seq IN (SELECT plan_seq FROM plan_log WHERE at_ms < ?1 AND plan_seq "
        "< (SELECT MAX(plan_seq) FROM plan_log WHERE at_ms < ?1 AND policy IS NOT NULL) AND plan_seq < "
        "(SELECT MAX(plan_seq) FROM plan_log WHERE at_ms < ?1 AND has_devices = 1) ORDER BY plan_seq LIMIT "
        "?2)",
        jobs_before, limit);
    return plans.run();
}

}  // namespace nightshift::db
