#include "db/job_rows.h"
#include "db/sqlite_store.h"

namespace nightshift::db {

namespace {

/// Runs of each kind that estimates look back on.
constexpr int kRunsKept = 64;

Error already_ended(const AttemptId& id) {
    return {ErrorCode::kConflict, "already_ended",
            "Attempt " + std::to_string(id.number) + " of job " + std::to_string(id.job.value) +
                " has ended already.",
            "", ""};
}

}  // namespace

Result<Attempt> SqliteStore::grant(JobId id, const std::string& token, const std::string& device,
                                   Bytes budget, UnixMs now, const EventText& event) {
    Statement update(
        *connection_,
        "UPDATE job SET state = 'starting', attempt = attempt + 1, retry_at_ms = NULL, wake_at_ms = NULL, "
        "eligible_ms = eligible_ms + MAX(0, ?2 - COALESCE(eligible_since_ms, ?2)), eligible_since_ms = NULL, "
        "version = version + 1, started_at_ms = COALESCE(started_at_ms, ?2) "
        "WHERE id = ?1 AND state = 'waiting' AND held = 0 AND deps_open = 0",
        id, now);
    NIGHTSHIFT_TRY(update.run());
    const auto row = state_of(id);
    if (!row) return row.error();
    if (row->state != JobState::kStarting) return state_conflict(id, row->state, "ready to start");
    Attempt attempt;
    attempt.id = {id, row->attempt};
    attempt.token = token;
    attempt.device = device;
    attempt.granted_at = now;
    Statement insert(
        *connection_,
        "INSERT INTO attempt (job_id, number, token, device, granted_at_ms) VALUES (?, ?, ?, ?, ?)", id,
        attempt.id.number, token, device, now);
    NIGHTSHIFT_TRY(insert.run());
    Statement lease(*connection_, "INSERT INTO lease (job_id, number, device, budget) VALUES (?, ?, ?, ?)",
                    id, attempt.id.number, device, budget);
    NIGHTSHIFT_TRY(lease.run());
    NIGHTSHIFT_TRY(end_wait_spans(id, now));
    if (auto added = append_event(event, id, attempt.id.number, now); !added) return added.error();
    return attempt;
}

Status SqliteStore::set_worker(const AttemptId& id, const ProcessIdentity& worker) {
    const Quiet quiet(*this);
    Statement update(*connection_,
                     "UPDATE attempt SET worker_boot = ?3, worker_pid = ?4, worker_ticks = ?5 "
                     "WHERE job_id = ?1 AND number = ?2",
                     id.job, id.number, worker.boot_id, worker.pid, worker.start_ticks);
    return update.run();
}

Status SqliteStore::set_running(const AttemptId& id, const std::optional<ProcessIdentity>& command,
                                EnforcementGrade grade, UnixMs now, const EventText& event) {
    Statement attempt(*connection_,
                      "UPDATE attempt SET running_at_ms = COALESCE(running_at_ms, ?3) "
                      "WHERE job_id = ?1 AND number = ?2 AND end_kind IS NULL",
                      id.job, id.number, now);
    NIGHTSHIFT_TRY(attempt.run());
    if (connection_->changes() != 1) return already_ended(id);
    if (command) {
        Statement identity(*connection_,
                           "UPDATE attempt SET command_boot = ?3, command_pid = ?4, command_ticks = ?5 "
                           "WHERE job_id = ?1 AND number = ?2",
                           id.job, id.number, command->boot_id, command->pid, command->start_ticks);
        NIGHTSHIFT_TRY(identity.run());
    }
    Statement lease(*connection_, "UPDATE lease SET grade = ?3 WHERE job_id = ?1 AND number = ?2", id.job,
                    id.number, to_string(grade));
    NIGHTSHIFT_TRY(lease.run());
    // A job that is already asked to leave or stop keeps that state.
    Statement job(*connection_,
                  "UPDATE job SET state = 'running', version = version + 1 "
                  "WHERE id = ?1 AND attempt = ?2 AND state = 'starting'",
                  id.job, id.number);
    NIGHTSHIFT_TRY(job.run());
    if (connection_->changes() == 0) return {};
    if (auto added = append_event(event, id.job, id.number, now); !added) return added.error();
    return {};
}

Status SqliteStore::set_ran(const AttemptId& id, Millis ran) {
    Statement update(*connection_,
                     "UPDATE attempt SET ran_ms = ?3 "
                     "WHERE job_id = ?1 AND number = ?2 AND end_kind IS NULL AND ran_ms < ?3",
                     id.job, id.number, ran);
    return update.run();
}

Result<Millis> SqliteStore::ran(const AttemptId& id) {
    Statement row(*connection_, "SELECT ran_ms FROM attempt WHERE job_id = ?1 AND number = ?2", id.job,
                  id.number);
    const auto has_row = row.step();
    if (!has_row) return has_row.error();
    return *has_row ? Millis{row.integer(0)} : Millis{};
}

Status SqliteStore::set_yielding(const AttemptId& id, JobId beneficiary, const std::string& reason,
                                 UnixMs deadline, UnixMs now, const EventText& event) {
    Statement job(*connection_,
                  "UPDATE job SET state = 'yielding', version = version + 1 "
                  "WHERE id = ?1 AND attempt = ?2 AND state IN ('starting', 'running')",
                  id.job, id.number);
    NIGHTSHIFT_TRY(job.run());
    if (connection_->changes() != 1) {
        const auto row = state_of(id.job);
        if (!row) return row.error();
        return state_conflict(id.job, row->state, "running");
    }
    Statement attempt(*connection_,
                      "UPDATE attempt SET deadline_ms = ?3, beneficiary = ?4, stop_reason = ?5 "
                      "WHERE job_id = ?1 AND number = ?2 AND end_kind IS NULL",
                      id.job, id.number, deadline, beneficiary, reason);
    NIGHTSHIFT_TRY(attempt.run());
    if (connection_->changes() != 1) return already_ended(id);
    if (reason == "preempted") {
        Statement preemption(
            *connection_, "INSERT INTO preemption (at_ms, job_id, attempt, beneficiary) VALUES (?, ?, ?, ?)",
            now, id.job, id.number, beneficiary);
        NIGHTSHIFT_TRY(preemption.run());
    }
    if (auto added = append_event(event, id.job, id.number, now); !added) return added.error();
    return {};
}

Status SqliteStore::set_stopping(const AttemptId& id, const std::string& reason, UnixMs deadline, UnixMs now,
                                 const EventText& event) {
    const auto row = state_of(id.job);
    if (!row) return row.error();
    if (!is_live(row->state) || row->attempt != id.number)
        return state_conflict(id.job, row->state, "running");
    if (row->state != JobState::kStopping) {
        Statement job(
            *connection_,
            "UPDATE job SET state = 'stopping', version = version + 1 WHERE id = ?1 AND attempt = ?2 "
            "AND state IN ('starting', 'running', 'yielding', 'parked')",
            id.job, id.number);
        NIGHTSHIFT_TRY(job.run());
    }
    // A cancel outranks the reason for which the attempt was being stopped.
    Statement attempt(*connection_,
                      "UPDATE attempt SET deadline_ms = ?3, "
                      "stop_reason = CASE stop_reason WHEN 'cancelled' THEN stop_reason ELSE ?4 END "
                      "WHERE job_id = ?1 AND number = ?2 AND end_kind IS NULL",
                      id.job, id.number, deadline, reason);
    NIGHTSHIFT_TRY(attempt.run());
    if (connection_->changes() != 1) return already_ended(id);
    if (auto added = append_event(event, id.job, id.number, now); !added) return added.error();
    return {};
}

Result<std::vector<JobId>> SqliteStore::end_attempt(const AttemptId& id, const Transition& transition,
                                                    const AttemptReport& report,
                                                    const std::vector<wire::Artifact>& artifacts, Bytes peak,
                                                    UnixMs now, const EventText& event) {
    Statement attempt(
        *connection_,
        "UPDATE attempt SET ended_at_ms = ?3, end_kind = ?4, exit_code = ?5, signal = ?6, "
        "deadline_ms = NULL, peak_vram = ?7 WHERE job_id = ?1 AND number = ?2 AND end_kind IS NULL",
        id.job, id.number, now, to_string(transition.end), report.exit_code, report.signal, peak);
    NIGHTSHIFT_TRY(attempt.run());
    if (connection_->changes() != 1) return already_ended(id);
    NIGHTSHIFT_TRY(keep_gpu_time(id, now));
    NIGHTSHIFT_TRY(change_job(id, report, transition, peak, now));
    if (transition.retry_at) NIGHTSHIFT_TRY(note_standing_reasons(id.job, now));
    Statement lease(*connection_, "UPDATE lease SET is_reclaiming = 1 WHERE job_id = ? AND number = ?",
                    id.job, id.number);
    NIGHTSHIFT_TRY(lease.run());
    NIGHTSHIFT_TRY(write_artifacts(id, artifacts));
    if (transition.end == AttemptEnd::kOk && !report.cached) {
        NIGHTSHIFT_TRY(keep_statistics(id, report.run_time, peak));
    }
    if (auto added = append_event(event, id.job, id.number, now); !added) return added.error();
    std::vector<JobId> skipped;
    if (is_terminal(transition.state))
        NIGHTSHIFT_TRY(settle_dependents(id.job, transition.state, now, skipped));
    return skipped;
}

Status SqliteStore::change_job(const AttemptId& id, const AttemptReport& report, const Transition& transition,
                               Bytes peak, UnixMs now) {
    std::optional<UnixMs> ended;
    std::optional<std::string> code, message;
    std::optional<int> exit_code, signal;
    bool cached = false;
    if (is_terminal(transition.state)) {
        NIGHTSHIFT_ASSERT(transition.outcome.has_value());
        ended = now;
        code = transition.outcome->code;
        message = transition.outcome->message;
        exit_code = transition.outcome->exit_code;
        signal = transition.outcome->signal;
        cached = transition.outcome->cached;
    }
    Statement update(
        *connection_,
        "UPDATE job SET state = ?3, ended_at_ms = ?4, outcome_code = ?5, outcome_message = ?6, "
        "outcome_exit_code = ?7, "
        "outcome_signal = ?8, outcome_cached = ?9, run_time_ms = run_time_ms + ?10, peak_vram = "
        "MAX(peak_vram, ?11), "
        "retries_left = MAX(0, retries_left - ?12), preemptions = preemptions + ?13, retry_at_ms = ?14, "
        "wake_at_ms = CASE WHEN COALESCE(?14, 0) > ?15 THEN ?14 END, vram = COALESCE(?16, vram), "
        "version = version + 1 "
        "WHERE id = ?1 AND attempt = ?2",
        id.job, id.number, to_string(transition.state), ended, code, message, exit_code, signal, cached,
        report.run_time, peak, transition.charges_retry, transition.counts_preemption, transition.retry_at,
        now, transition.vram);
    NIGHTSHIFT_TRY(update.run());
    if (connection_->changes() != 1) return already_ended(id);
    return {};
}

Status SqliteStore::write_artifacts(const AttemptId& id, const std::vector<wire::Artifact>& artifacts) {
    for (const wire::Artifact& artifact : artifacts) {
        Statement insert(
            *connection_,
            "INSERT INTO artifact (job_id, attempt, name, type, bytes, sha256) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET type = excluded.type, bytes = excluded.bytes, sha256 = "
            "excluded.sha256",
            id.job, id.number, artifact.name, artifact.type, artifact.bytes, artifact.sha256);
        NIGHTSHIFT_TRY(insert.run());
    }
    return {};
}

Status SqliteStore::keep_statistics(const AttemptId& id, Millis run_time, Bytes peak) {
    Statement insert(*connection_,
                     "INSERT INTO run_stat (kind, run_time_ms, peak_vram, spec_group, budget) "
                     "SELECT kind, run_time_ms, MAX(peak_vram, ?3), spec_group, vram FROM job "
                     "WHERE id = ?1 AND ?2 >= 0",
                     id.job, run_time, peak);
    NIGHTSHIFT_TRY(insert.run());
    Statement old(*connection_,
                  "DELETE FROM run_stat WHERE kind = (SELECT kind FROM job WHERE id = ?1) AND id <= "
                  "(SELECT id FROM run_stat WHERE kind = (SELECT kind FROM job WHERE id = ?1) "
                  "ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                  id.job, kRunsKept);
    NIGHTSHIFT_TRY(old.run());
    stats_.reset();
    return {};
}

Status SqliteStore::release_lease(const AttemptId& id) {
    Statement gone(*connection_, "DELETE FROM lease WHERE job_id = ? AND number = ? AND is_reclaiming = 1",
                   id.job, id.number);
    return gone.run();
}

Status SqliteStore::set_lease_use(const AttemptId& id, Bytes used, Bytes peak) {
    Statement update(*connection_,
                     "UPDATE lease SET used = ?3, peak = MAX(peak, ?4) WHERE job_id = ?1 AND number = ?2",
                     id.job, id.number, used, peak);
    return update.run();
}

Result<bool> SqliteStore::has_been_over_budget(JobId id) {
    Statement row(*connection_, "SELECT 1 FROM attempt WHERE job_id = ? AND end_kind = 'over_budget' LIMIT 1",
                  id);
    return row.step();
}

Result<std::optional<Attempt>> SqliteStore::attempt(const AttemptId& id) {
    Statement row(*connection_, "SELECT * FROM attempt_view WHERE job_id = ? AND number = ?", id.job,
                  id.number);
    const auto has_row = row.step();
    if (!has_row) return has_row.error();
    if (!*has_row) return std::optional<Attempt>{};
    return std::optional<Attempt>(read_attempt(row));
}

Result<std::optional<Attempt>> SqliteStore::attempt_by_token(const std::string& token) {
    Statement row(*connection_, "SELECT * FROM attempt_view WHERE token = ?", token);
    const auto has_row = row.step();
    if (!has_row) return has_row.error();
    if (!*has_row) return std::optional<Attempt>{};
    return std::optional<Attempt>(read_attempt(row));
}

}  // namespace nightshift::db
