#include "db/self_check.h"
#include "db/sqlite_store.h"

namespace nightshift::db {

Result<std::vector<std::string>> SqliteStore::self_check() {
    const auto checks = run_checks(*connection_);
    if (!checks) return checks.error();
    std::vector<std::string> broken;
    for (const CheckResult& check : *checks) {
        for (const std::string& row : check.broken) {
            broken.push_back(check.name + " (" + check.code + "): " + row);
        }
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
        "lease.job_id = j.id) AND NOT EXISTS (SELECT 1 FROM job AS rerun WHERE rerun.rerun_of = j.id AND "
        "rerun.rerun_of <> 0 AND rerun.ended_at_ms IS NULL) AND j.id NOT IN (SELECT made.value FROM idem, "
        "json_each('[' || replace(idem.jobs, ' ', ',') || ']') AS made) ORDER BY j.ended_at_ms LIMIT ?2)",
        jobs_before, limit);
    NIGHTSHIFT_TRY(jobs.run());
    // From the oldest on and no further than the first that is kept: clocks jump, numbers have no gap.
    Statement events(
        *connection_,
        "DELETE FROM event WHERE seq <= (SELECT MAX(seq) FROM (SELECT seq FROM event ORDER BY seq LIMIT ?2)) "
        "AND seq < COALESCE((SELECT MIN(seq) FROM (SELECT seq, at_ms FROM event ORDER BY seq LIMIT ?2) "
        "WHERE at_ms >= ?1), 9223372036854775807)",
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
    return prune_plans(jobs_before, limit);
}

Status SqliteStore::prune_plans(UnixMs before, int limit) {
    Statement oldest(*connection_,
                     "SELECT COALESCE((SELECT MIN(plan_seq) FROM plan_log WHERE at_ms >= ?), "
                     "(SELECT MAX(plan_seq) FROM plan_log))",
                     before);
    if (const auto row = oldest.step(); !row) return row.error();
    if (oldest.is_null(0)) return {};
    const std::int64_t kept = oldest.integer(0);
    // Policy and devices are written where they change: the oldest row that stays takes over what held then.
    Statement policy(
        *connection_,
        "UPDATE plan_log SET policy = (SELECT policy FROM plan_log WHERE plan_seq < ?1 AND policy "
        "IS NOT NULL ORDER BY plan_seq DESC LIMIT 1) WHERE plan_seq = ?1 AND policy IS NULL",
        kept);
    NIGHTSHIFT_TRY(policy.run());
    Statement devices(
        *connection_,
        "INSERT INTO plan_device (plan_seq, position, uuid, name, total, foreign_used) "
        "SELECT ?1, position, uuid, name, total, foreign_used FROM plan_device WHERE plan_seq = "
        "(SELECT MAX(plan_seq) FROM plan_log WHERE plan_seq < ?1 AND has_devices = 1) AND "
        "(SELECT has_devices FROM plan_log WHERE plan_seq = ?1) = 0",
        kept);
    NIGHTSHIFT_TRY(devices.run());
    Statement mark(*connection_,
                   "UPDATE plan_log SET has_devices = 1 WHERE plan_seq = ?1 AND has_devices = 0 AND EXISTS "
                   "(SELECT 1 FROM plan_log WHERE plan_seq < ?1 AND has_devices = 1)",
                   kept);
    NIGHTSHIFT_TRY(mark.run());
    Statement plans(
        *connection_,
        "DELETE FROM plan_log WHERE plan_seq IN (SELECT plan_seq FROM plan_log WHERE plan_seq < ? "
        "ORDER BY plan_seq LIMIT ?)",
        kept, limit);
    return plans.run();
}

}  // namespace nightshift::db
