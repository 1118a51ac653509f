#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "db/plan_record.h"
#include "db/queries.h"
#include "scheduler/attempt.h"
#include "scheduler/cron.h"
#include "scheduler/job.h"
#include "scheduler/snapshot.h"
#include "scheduler/transition.h"
#include "scheduler/wire.h"

namespace nightshift::db {

/// What goes with a change into the event log, in the same transaction.
struct EventText {
    std::string topic, kind;  ///< "job", "submitted"
    std::string actor;
    std::string data_json = "{}";
};

/// The write side: the one connection that writes and checkpoints. Every mutation needs an open
/// transaction; nothing is durable before commit() has returned success. Every state write is guarded
/// by the state it expects; a mismatch is ErrorCode::kConflict and changes nothing. Thread: the loop.
class Store {
  public:
    /// Opens or creates `path`, runs migrations. Fails: conflict "schema_newer", corrupt
    /// "database_damaged", exhausted "disk_low", unsupported "network_file_system".
    static Result<std::unique_ptr<Store>> open(const std::string& path, const std::string& created_by);
    virtual ~Store() = default;

    virtual Status begin() = 0;   ///< BEGIN IMMEDIATE
    virtual Status commit() = 0;  ///< durable when it returns success
    virtual void rollback() = 0;
    virtual Status savepoint() = 0;  ///< one mutation inside the tick's transaction; may nest
    virtual void rollback_to_savepoint() = 0;
    virtual Status release_savepoint() = 0;
    virtual bool in_transaction() const = 0;
    virtual Millis last_commit_time() const = 0;
    /// Moves WAL pages into the database. Between transactions.
    virtual Status checkpoint_wal() = 0;
    /// Pages that the next checkpoint_wal() has to move.
    virtual std::int64_t wal_pages() const = 0;
    /// Moves on with every change that a planning pass could see. It stands still only over changes known
    /// not to matter to one, like a job far behind the candidates: the pass may be left out then.
    virtual std::int64_t planning_version() const = 0;

    // --- jobs --------------------------------------------------------------------------------
    /// Checks `after` (known, no cycle) and counts what is unmet. Fails: invalid_argument
    /// "unknown_dependency"; exhausted "queue_full" above `waiting_max`.
    virtual Result<JobId> insert_job(const JobSpec& spec, const std::string& schedule, UnixMs nominal,
                                     JobId rerun_of, std::int64_t waiting_max, UnixMs now,
                                     const EventText& event) = 0;
    virtual Result<std::optional<Job>> job(JobId id) = 0;  ///< sees the open transaction
    /// Replaces the spec of a waiting job (PATCH). Fails: conflict "stale_etag", "state_conflict".
    virtual Status update_spec(JobId id, const JobSpec& spec, int if_version, UnixMs now,
                               const EventText& event) = 0;
    virtual Status set_held(JobId id, bool held, UnixMs now, const EventText& event) = 0;
    /// Gives a waiting job the place before or after another of its class (0 = the head or the tail).
    /// Fails: conflict "state_conflict"; invalid_argument "other_class".
    virtual Status move_job(JobId id, JobId other, bool before, UnixMs now, const EventText& event) = 0;
    virtual Status set_hidden(JobId id, UnixMs now, const EventText& event) = 0;
    /// waiting -> cancelled, expired or skipped. Settles dependents in the same transaction and
    /// returns the jobs that became skipped through it.
    virtual Result<std::vector<JobId>> finish_waiting(JobId id, JobState to, const Outcome& outcome,
                                                      UnixMs now, const EventText& event) = 0;
    /// Jobs that were skipped and name `parent` in `after`.
    virtual Result<std::vector<JobId>> skipped_dependents(JobId parent) = 0;
    /// A stretch of waiting for nothing but room begins or ends; what it lasted is added up.
    virtual Status set_eligible(JobId id, bool is_eligible, UnixMs now) = 0;

    // --- attempts and leases -----------------------------------------------------------------
    /// waiting -> starting: inserts the attempt with its token and the lease.
    virtual Result<Attempt> grant(JobId id, const std::string& token, const std::string& device, Bytes budget,
                                  UnixMs now, const EventText& event) = 0;
    virtual Status set_worker(const AttemptId& id, const ProcessIdentity& worker) = 0;
    /// starting -> running (also keeps the command's identity when already running).
    virtual Status set_running(const AttemptId& id, const std::optional<ProcessIdentity>& command,
                               EnforcementGrade grade, UnixMs now, const EventText& event) = 0;
    /// running or starting -> yielding.
    virtual Status set_yielding(const AttemptId& id, JobId beneficiary, const std::string& reason,
                                UnixMs deadline, UnixMs now, const EventText& event) = 0;
    /// any live -> stopping.
    virtual Status set_stopping(const AttemptId& id, const std::string& reason, UnixMs deadline, UnixMs now,
                                const EventText& event) = 0;
    /// The end of an attempt, once: attempt row, job state, outcome, artifacts, dependents, statistics;
    /// the lease turns to reclaiming. A second call for the same attempt is conflict "already_ended".
    /// Returns the jobs that became skipped through it.
    virtual Result<std::vector<JobId>> end_attempt(const AttemptId& id, const Transition& transition,
                                                   const AttemptReport& report,
                                                   const std::vector<wire::Artifact>& artifacts, Bytes peak,
                                                   UnixMs now, const EventText& event) = 0;
    virtual Status release_lease(const AttemptId& id) = 0;  ///< its bytes were seen free
    virtual Status set_lease_use(const AttemptId& id, Bytes used, Bytes peak) = 0;
    /// An attempt of the job ended because it needed more memory than its budget.
    virtual Result<bool> has_been_over_budget(JobId id) = 0;
    virtual Status set_progress(const AttemptId& id, const Progress& progress) = 0;
    /// How long a live attempt ran so far, by steady clocks; never goes back. ran(): what was stored last.
    virtual Status set_ran(const AttemptId& id, Millis ran) = 0;
    virtual Result<Millis> ran(const AttemptId& id) = 0;
    virtual Status add_checkpoint(const Checkpoint& checkpoint, UnixMs now, const EventText& event) = 0;
    /// The attempt found a checkpoint of its job, or of the one that its job runs again, damaged: nobody goes
    /// on from it any more. Told again, or of one that is not known, it changes nothing.
    virtual Status refuse_checkpoint(const AttemptId& by, const std::string& path, UnixMs now,
                                     const EventText& event) = 0;
    /// Forgets the checkpoints of a job that ended before that time. False while an unfinished job may still
    /// go on from them, or while they are younger; their files are the caller's.
    virtual Result<bool> forget_checkpoints(JobId id, UnixMs ended_before) = 0;
    virtual Result<std::optional<Checkpoint>> last_checkpoint(JobId id) = 0;
    virtual Result<std::optional<Attempt>> attempt(const AttemptId& id) = 0;
    virtual Result<std::optional<Attempt>> attempt_by_token(const std::string& token) = 0;

    // --- planning ----------------------------------------------------------------------------
    /// Fills live jobs, candidates, counts, reclaiming leases, stats, pause and the timer hint;
    /// devices, policy and machine sizes are the caller's.
    virtual Status load_planning(Snapshot& snapshot, UnixMs now) = 0;
    /// What the newest runs of each kind and group took. Never null.
    virtual Result<std::shared_ptr<const std::vector<KindStats>>> run_stats() = 0;
    /// Makes waiting jobs whose not_before or retry time has come candidates, at most `limit`; returns how
    /// many. Call before load_planning of the same pass.
    virtual Result<int> wake_due(UnixMs now, int limit) = 0;
    virtual Result<std::vector<JobId>> jobs_past_start_deadline(UnixMs now, int limit) = 0;
    /// Keeps wait_span in step: gates now closed for a waiting job (empty = ended).
    virtual Status set_wait_reasons(JobId id, const std::vector<std::string>& codes, UnixMs now) = 0;
    /// Remembers what a plan saw and how much it decided. The numbers rise.
    virtual Status record_plan(const PlanRecord& record) = 0;

    // --- schedules ---------------------------------------------------------------------------
    virtual Result<std::vector<Schedule>> schedules() = 0;
    virtual Status put_schedule(const Schedule& schedule, bool must_be_new, UnixMs now,
                                const EventText& event) = 0;
    virtual Status delete_schedule(const std::string& name, UnixMs now, const EventText& event) = 0;
    virtual Status set_schedule_enabled(const std::string& name, bool enabled, UnixMs now,
                                        const EventText& event) = 0;
    virtual Status set_next_fire(ScheduleId id, std::optional<UnixMs> next) = 0;
    /// Records one nominal time exactly once. False when it was recorded before.
    virtual Result<bool> record_fire(ScheduleId id, UnixMs nominal, const std::string& decision,
                                     const std::string& reason, UnixMs now, const EventText& event) = 0;
    /// Jobs of the schedule that are not terminal.
    virtual Result<std::vector<Job>> open_jobs_of_schedule(const std::string& name) = 0;

    // --- the rest ----------------------------------------------------------------------------
    virtual Result<std::optional<IdempotentAnswer>> idempotent(const std::string& scope,
                                                               const std::string& key) = 0;
    virtual Status remember_idempotent(const std::string& scope, const std::string& key,
                                       const IdempotentAnswer& answer, UnixMs expires) = 0;
    virtual Result<std::optional<std::string>> setting(
        const std::string& name) = 0;  ///< policy, pause, boot id, plan_seq
    virtual Status set_setting(const std::string& name, const std::string& value) = 0;
    virtual Status put_token(const StoredToken& token) = 0;  ///< by sha256
    virtual Status delete_token(const std::string& sha256) = 0;
    virtual Result<EventSeq> append_event(const EventText& event, JobId job, int attempt, UnixMs now) = 0;
    /// Events appended in the current transaction, for publishing after its commit.
    virtual std::vector<StoredEvent> take_new_events() = 0;
    /// Deletes what is past its retention, at most `limit` rows; never rows a live job depends on.
    virtual Status prune(UnixMs jobs_before, UnixMs events_before, int limit) = 0;
    /// SQL of every invariant; one line for each broken one.
    virtual Result<std::vector<std::string>> self_check() = 0;

    // --- history of other databases ----------------------------------------------------------
    /// Lines added to it are not seen before finish_import().
    virtual Result<std::int64_t> begin_import(const std::string& database, const std::string& actor) = 0;
    /// Keeps the line unless it is there already, there is a newer one, or it is a job of this database. Adds
    /// to `counts` what became of it.
    virtual Status add_imported(std::int64_t import, const ImportedLine& line, ImportCounts& counts) = 0;
    /// Shows it, with an event; one that brought nothing leaves nothing. Fails: conflict "import_gone".
    virtual Status finish_import(std::int64_t import, const std::string& chain, const ImportCounts& counts,
                                 UnixMs now, const EventText& event) = 0;
    /// Deletes what is left of unfinished imports but `kept`, at most `limit` lines. True when all is gone.
    virtual Result<bool> sweep_imports(std::int64_t kept, int limit) = 0;
    /// Deletes lines that were imported before that time, at most `limit`.
    virtual Status prune_imports(UnixMs before, int limit) = 0;
};

/// A read-only connection on the same file.
Result<std::unique_ptr<Queries>> open_queries(const std::string& path);

}  // namespace nightshift::db
