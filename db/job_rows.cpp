#include "db/job_rows.h"

#include "db/text_list.h"

namespace nightshift::db {

namespace {

enum Column {
    kId,
    kState,
    kClass,
    kKind,
    kName,
    kPriority,
    kOrderKey,
    kVersion,
    kHeld,
    kHidden,
    kGpu,
    kVram,
    kRam,
    kCpu,
    kWindow,
    kPreemptible,
    kCheckpointMode,
    kRetries,
    kRetriesLeft,
    kNotBefore,
    kStartDeadline,
    kTimeLimit,
    kEstimate,
    kRetryAt,
    kEligibleSince,
    kDepsOpen,
    kDependencies,
    kLabels,
    kAttempt,
    kPreemptions,
    kRunTime,
    kPeakVram,
    kHasCheckpoint,
    kSchedule,
    kRerunOf,
    kCreatedAt,
    kStartedAt,
    kEndedAt,
    kOutcomeCode,
    kOutcomeMessage,
    kOutcomeExitCode,
    kOutcomeSignal,
    kOutcomeCached,
    kPhase,
    kStep,
    kSteps,
    kEta,
    kMetrics,
    kParams,
    kCommand,
    kCwd,
    kEnv,
    kWakeAt,
    kEligibleTime,
    kWindowEnd,
    kGroup,
};

JobSpec read_spec(const Statement& row) {
    JobSpec spec;
    spec.name = row.text(kName);
    spec.kind = row.text(kKind);
    spec.job_class = parse_job_class(row.text(kClass)).value_or(JobClass::kTraining);
    spec.params_json = row.text(kParams);
    spec.command = unpack(row.text(kCommand));
    spec.cwd = row.text(kCwd);
    spec.env = unpack_pairs(row.text(kEnv));
    spec.gpu = row.text(kGpu);
    spec.vram = row.bytes(kVram);
    spec.ram = row.bytes(kRam);
    spec.cpu = static_cast<int>(row.integer(kCpu));
    spec.priority = static_cast<int>(row.integer(kPriority));
    spec.window = row.text(kWindow);
    spec.not_before = row.maybe<UnixMs>(kNotBefore);
    spec.start_deadline = row.maybe<UnixMs>(kStartDeadline);
    spec.time_limit = row.maybe<Millis>(kTimeLimit);
    spec.retries = static_cast<int>(row.integer(kRetries));
    spec.preemptible = row.flag(kPreemptible);
    spec.checkpoint = parse_checkpoint_mode(row.text(kCheckpointMode)).value_or(CheckpointMode::kNone);
    spec.hold = row.flag(kHeld);
    spec.estimate = row.maybe<Millis>(kEstimate);
    if (!row.is_null(kWindowEnd)) spec.at_window_end = parse_window_end(row.text(kWindowEnd));
    spec.group = row.text(kGroup);
    return spec;
}

std::optional<Outcome> read_outcome(const Statement& row) {
    if (row.is_null(kOutcomeCode)) return std::nullopt;
    Outcome outcome;
    outcome.code = row.text(kOutcomeCode);
    outcome.message = row.text(kOutcomeMessage);
    outcome.exit_code = row.maybe_int(kOutcomeExitCode);
    outcome.signal = row.maybe_int(kOutcomeSignal);
    outcome.cached = row.flag(kOutcomeCached);
    return outcome;
}

std::optional<Progress> read_progress(const Statement& row) {
    if (row.is_null(kPhase)) return std::nullopt;
    Progress progress;
    progress.phase = row.text(kPhase);
    progress.step = row.integer(kStep);
    progress.steps = row.integer(kSteps);
    progress.eta = row.maybe<Millis>(kEta);
    progress.metrics = unpack_numbers(row.text(kMetrics));
    return progress;
}

std::optional<ProcessIdentity> read_identity(const Statement& row, int column) {
    if (row.is_null(column + 1)) return std::nullopt;
    return ProcessIdentity{row.text(column), row.integer(column + 1), row.integer(column + 2)};
}

}  // namespace

Job read_job(const Statement& row) {
    Job job;
    job.id = JobId{row.integer(kId)};
    job.spec = read_spec(row);
    job.state = parse_job_state(row.text(kState)).value_or(JobState::kFailed);
    job.held = row.flag(kHeld);
    job.order_key = row.integer(kOrderKey);
    job.version = static_cast<int>(row.integer(kVersion));
    job.created_at = row.time(kCreatedAt);
    job.started_at = row.maybe<UnixMs>(kStartedAt);
    job.ended_at = row.maybe<UnixMs>(kEndedAt);
    job.eligible_since = row.maybe<UnixMs>(kEligibleSince);
    job.eligible_time = Millis{row.integer(kEligibleTime)};
    job.retry_at = row.maybe<UnixMs>(kRetryAt);
    job.attempt = static_cast<int>(row.integer(kAttempt));
    job.preemptions = static_cast<int>(row.integer(kPreemptions));
    job.retries_left = static_cast<int>(row.integer(kRetriesLeft));
    job.run_time = Millis{row.integer(kRunTime)};
    job.dependencies_open = static_cast<int>(row.integer(kDepsOpen));
    job.outcome = read_outcome(row);
    job.progress = read_progress(row);
    job.schedule = row.text(kSchedule);
    job.rerun_of = JobId{row.integer(kRerunOf)};
    job.peak_vram = row.bytes(kPeakVram);
    job.has_checkpoint = row.flag(kHasCheckpoint);
    job.hidden = row.flag(kHidden);
    return job;
}

Status complete_job(Connection& connection, const Statement& row, Job& job) {
    if (row.integer(kDependencies) > 0) {
        Statement deps(connection, "SELECT on_job, kind FROM dep WHERE job_id = ? ORDER BY on_job", job.id);
        NIGHTSHIFT_TRY(deps.each([&] {
            job.spec.after.push_back(
                {JobId{deps.integer(0)},
                 parse_dependency_kind(deps.text(1)).value_or(DependencyKind::kSuccess)});
        }));
    }
    if (row.integer(kLabels) > 0) {
        Statement labels(connection, "SELECT name, value FROM label WHERE job_id = ? ORDER BY name", job.id);
        NIGHTSHIFT_TRY(labels.each([&] { job.spec.labels.emplace_back(labels.text(0), labels.text(1)); }));
    }
    return {};
}

Result<std::optional<Job>> find_job(Connection& connection, JobId id) {
    Statement row(connection, "SELECT * FROM job_view WHERE id = ?", id);
    const auto has_row = row.step();
    if (!has_row) return has_row.error();
    if (!*has_row) return std::optional<Job>{};
    Job job = read_job(row);
    NIGHTSHIFT_TRY(complete_job(connection, row, job));
    return std::optional<Job>(std::move(job));
}

Attempt read_attempt(const Statement& row) {
    Attempt attempt;
    attempt.id = {JobId{row.integer(0)}, static_cast<int>(row.integer(1))};
    attempt.token = row.text(2);
    attempt.worker = read_identity(row, 3);
    attempt.command = read_identity(row, 6);
    attempt.device = row.text(9);
    attempt.granted_at = row.time(10);
    attempt.running_at = row.maybe<UnixMs>(11);
    attempt.ended_at = row.maybe<UnixMs>(12);
    if (!row.is_null(13)) attempt.end = parse_attempt_end(row.text(13));
    attempt.exit_code = row.maybe_int(14);
    attempt.signal = row.maybe_int(15);
    attempt.deadline = row.maybe<UnixMs>(16);
    attempt.beneficiary = JobId{row.integer(17)};
    attempt.stop_reason = row.text(18);
    return attempt;
}

Checkpoint read_checkpoint(const Statement& row) {
    Checkpoint checkpoint;
    checkpoint.job = JobId{row.integer(0)};
    checkpoint.attempt = static_cast<int>(row.integer(1));
    checkpoint.path = row.text(2);
    checkpoint.step = row.integer(3);
    checkpoint.bytes = row.bytes(4);
    checkpoint.sha256 = row.text(5);
    checkpoint.committed_at = row.time(6);
    return checkpoint;
}

Result<Schedule> read_schedule(const Statement& row) {
    Schedule schedule;
    schedule.id = ScheduleId{row.integer(0)};
    schedule.name = row.text(1);
    schedule.cron_text = row.text(2);
    auto cron = parse_cron(schedule.cron_text);
    if (!cron) return cron.error();
    schedule.cron = *cron;
    schedule.timezone = row.text(3);
    schedule.missed = parse_missed_policy(row.text(4)).value_or(MissedPolicy::kOnce);
    schedule.overlap = parse_overlap_policy(row.text(5)).value_or(OverlapPolicy::kSkip);
    schedule.enabled = row.flag(6);
    schedule.jobs_json = row.text(7);
    schedule.next_fire_at = row.maybe<UnixMs>(8);
    schedule.last_fire_at = row.maybe<UnixMs>(9);
    schedule.created_at = row.time(10);
    schedule.version = static_cast<int>(row.integer(11));
    return schedule;
}

Result<std::vector<Schedule>> read_schedules(Connection& connection) {
    std::vector<Schedule> all;
    Status inner;
    Statement rows(connection, "SELECT * FROM schedule ORDER BY name");
    NIGHTSHIFT_TRY(rows.each([&] {
        auto schedule = read_schedule(rows);
        if (schedule) {
            all.push_back(std::move(*schedule));
        } else {
            inner = schedule.error();
        }
    }));
    if (!inner) return inner.error();
    return all;
}

}  // namespace nightshift::db
