#include "db/past_reader.h"

#include <algorithm>

#include "db/job_rows.h"
#include "db/statement.h"

namespace nightshift::db {

namespace {

PlanRecord read_plan(const Statement& row) {
    PlanRecord record;
    record.plan_seq = row.integer(0);
    record.at = row.time(1);
    record.is_paused = row.flag(2);
    record.starts = static_cast<int>(row.integer(3));
    record.yields = static_cast<int>(row.integer(4));
    record.cpu = static_cast<int>(row.integer(5));
    record.ram = row.bytes(6);
    if (!row.is_null(7)) record.policy_json = row.text(7);
    if (row.flag(8)) record.devices.emplace();
    return record;
}

}  // namespace

Result<std::unique_ptr<PastReader>> PastReader::open(const std::string& path) {
    auto connection = Connection::open(path, Connection::Mode::kReader);
    if (!connection) return connection.error();
    return std::unique_ptr<PastReader>(new PastReader(std::move(*connection)));
}

Result<std::optional<PlanRecord>> PastReader::world_at_plan(std::int64_t plan_seq) {
    Statement row(*connection_, "SELECT MAX(plan_seq) FROM plan_log WHERE plan_seq <= ?", plan_seq);
    if (const auto found = row.step(); !found) return found.error();
    if (row.is_null(0)) return std::optional<PlanRecord>{};
    return world(row.integer(0));
}

Result<std::optional<PlanRecord>> PastReader::world_at(UnixMs at) {
    Statement row(*connection_, "SELECT MAX(plan_seq) FROM plan_log WHERE at_ms <= ?", at);
    if (const auto found = row.step(); !found) return found.error();
    if (row.is_null(0)) return std::optional<PlanRecord>{};
    return world(row.integer(0));
}

Result<std::optional<PlanRecord>> PastReader::world(std::int64_t plan_seq) {
    Statement row(*connection_,
                  "SELECT plan_seq, at_ms, is_paused, starts, yields, cpu, ram, policy, has_devices FROM "
                  "plan_log WHERE plan_seq = ?",
                  plan_seq);
    const auto found = row.step();
    if (!found) return found.error();
    if (!*found) return std::optional<PlanRecord>{};
    PlanRecord record = read_plan(row);
    Statement policy(*connection_,
                     "SELECT policy FROM plan_log WHERE plan_seq <= ? AND policy IS NOT NULL ORDER BY "
                     "plan_seq DESC LIMIT 1",
                     plan_seq);
    const auto has_policy = policy.step();
    if (!has_policy) return has_policy.error();
    Statement last(*connection_, "SELECT MAX(plan_seq) FROM plan_log WHERE plan_seq <= ? AND has_devices = 1",
                   plan_seq);
    if (const auto has_devices = last.step(); !has_devices) return has_devices.error();
    if (!*has_policy || last.is_null(0)) return std::optional<PlanRecord>{};
    record.policy_json = policy.text(0);
    auto devices = devices_of(last.integer(0));
    if (!devices) return devices.error();
    record.devices = std::move(*devices);
    return std::optional(std::move(record));
}

Result<std::vector<PlanDevice>> PastReader::devices_of(std::int64_t plan_seq) {
    std::vector<PlanDevice> devices;
    Statement rows(*connection_,
                   "SELECT uuid, name, total, foreign_used FROM plan_device WHERE plan_seq = ? ORDER BY "
                   "position",
                   plan_seq);
    NIGHTSHIFT_TRY(rows.each([&] {
        devices.push_back({rows.text(0), rows.text(1), rows.bytes(2), rows.bytes(3)});
    }));
    return devices;
}

Result<std::vector<PlanRecord>> PastReader::plans(std::int64_t after, UnixMs until) {
    std::vector<PlanRecord> records;
    Statement rows(*connection_,
                   "SELECT plan_seq, at_ms, is_paused, starts, yields, cpu, ram, policy, has_devices FROM "
                   "plan_log WHERE plan_seq > ? AND at_ms <= ? ORDER BY plan_seq",
                   after, until);
    NIGHTSHIFT_TRY(rows.each([&] { records.push_back(read_plan(rows)); }));
    for (PlanRecord& record : records) {
        if (!record.devices) continue;
        auto devices = devices_of(record.plan_seq);
        if (!devices) return devices.error();
        record.devices = std::move(*devices);
    }
    return records;
}

Result<std::vector<PastJob>> PastReader::jobs(UnixMs from, UnixMs until, int limit) {
    std::vector<PastJob> jobs;
    Status inner;
    Statement rows(*connection_,
                   "SELECT * FROM job_view WHERE created_at_ms <= ?2 AND (ended_at_ms IS NULL OR ended_at_ms "
                   "> ?1) AND NOT (held = 1 AND attempt = 0) ORDER BY id LIMIT ?3",
                   from, until, limit + 1);
    NIGHTSHIFT_TRY(rows.each([&] {
        PastJob past;
        past.job = read_job(rows);
        past.ready_at = past.job.created_at;
        if (Status done = complete_job(*connection_, rows, past.job); !done) inner = done;
        jobs.push_back(std::move(past));
    }));
    if (!inner) return inner.error();
    if (static_cast<int>(jobs.size()) > limit) {
        return Error{ErrorCode::kInvalidArgument, "too_much_past",
                     "More than " + std::to_string(limit) + " jobs were open in that time.",
                     "Choose a later beginning or an earlier end.", ""};
    }
    for (PastJob& job : jobs) {
        NIGHTSHIFT_TRY(read_attempts(job));
        NIGHTSHIFT_TRY(read_release(job));
    }
    NIGHTSHIFT_TRY(read_freed_memory(jobs, from, until));
    return jobs;
}

Status PastReader::read_attempts(PastJob& job) {
    Statement rows(*connection_,
                   // One request for each attempt. The planner did not make it itself where a person did, or
                   // where the job held more than its budget.
                   "SELECT a.granted_at_ms, a.running_at_ms, a.ended_at_ms, a.end_kind, a.device, e.at_ms, "
                   "e.actor = 'scheduler' AND json_extract(e.data, '$.reason') <> 'over_budget' "
                   "FROM attempt AS a LEFT JOIN event AS e ON e.job_id = a.job_id AND e.job_id <> 0 AND "
                   "e.attempt = a.number AND e.kind = 'yielding' WHERE a.job_id = ? ORDER BY a.number, e.seq",
                   job.job.id);
    NIGHTSHIFT_TRY(rows.each([&] {
        PastAttempt attempt;
        attempt.started = rows.time(0);
        attempt.running = rows.maybe<UnixMs>(1);
        attempt.ended = rows.maybe<UnixMs>(2);
        attempt.is_preempted = rows.text(3) == "preempted";
        attempt.device = rows.text(4);
        (rows.flag(6) ? attempt.asked : attempt.sent_away) = rows.maybe<UnixMs>(5);
        if (job.attempts.empty() || job.attempts.back().started != attempt.started)
            job.attempts.push_back(std::move(attempt));
    }));
    for (PastAttempt& attempt : job.attempts) {
        const bool is_last = &attempt == &job.attempts.back();
        const bool is_left = attempt.is_preempted || !attempt.ended;
        attempt.is_retried = !is_left && (!is_last || !is_terminal(job.job.state));
    }
    return {};
}

Status PastReader::read_freed_memory(std::vector<PastJob>& jobs, UnixMs from, UnixMs until) {
    std::vector<std::pair<UnixMs, UnixMs>> spans;  // end and beginning
    Statement rows(
        *connection_,
        "SELECT to_ms, from_ms FROM wait_span WHERE reason = 'vram_release_pending' AND to_ms >= ? "
        "AND from_ms <= ?",
        from, until);
    NIGHTSHIFT_TRY(rows.each([&] { spans.emplace_back(rows.time(0), rows.time(1)); }));
    std::sort(spans.begin(), spans.end());
    for (PastJob& job : jobs) {
        for (PastAttempt& attempt : job.attempts) {
            if (!attempt.ended) continue;
            const UnixMs ended = *attempt.ended;
            auto span = std::lower_bound(spans.begin(), spans.end(), std::pair(ended, UnixMs{}));
            while (span != spans.end() && span->second > ended) ++span;
            if (span != spans.end() && span->first - ended <= kReactionMax) attempt.released = span->first;
        }
    }
    return {};
}

Status PastReader::read_release(PastJob& job) {
    const UnixMs before = job.attempts.empty() ? UnixMs{INT64_MAX} : job.attempts.front().started;
    Statement row(
        *connection_,
        "SELECT MAX(at_ms) FROM event WHERE job_id = ? AND job_id <> 0 AND kind = 'released' AND at_ms <= ?",
        job.job.id, before);
    if (const auto found = row.step(); !found) return found.error();
    if (!row.is_null(0)) job.ready_at = row.time(0);
    return {};
}

Result<std::vector<Job>> PastReader::open_jobs(int limit) {
    std::vector<Job> jobs;
    Status inner;
    Statement rows(*connection_,
                   // The rows are chosen before their long texts are read: the queue may hold a million.
                   "SELECT v.* FROM (SELECT id, state = 'waiting' AS waits, CASE class WHEN 'inference' "
                   "THEN 0 WHEN 'synthesis' THEN 2 ELSE 1 END AS place, priority, order_key FROM job WHERE "
                   "state IN ('starting', 'running', 'yielding', 'parked', 'stopping', 'waiting') ORDER BY "
                   "waits, place, priority DESC, order_key LIMIT ?) AS q JOIN job_view AS v ON v.id = q.id "
                   "ORDER BY q.waits, q.place, q.priority DESC, q.order_key",
                   limit);
    NIGHTSHIFT_TRY(rows.each([&] {
        Job job = read_job(rows);
        if (Status done = complete_job(*connection_, rows, job); !done) inner = done;
        jobs.push_back(std::move(job));
    }));
    if (!inner) return inner.error();
    return jobs;
}

}  // namespace nightshift::db
