#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "db/connection.h"
#include "db/statement.h"
#include "db/store.h"

namespace nightshift::db {

/// Distance between the order keys of two jobs submitted one after the other: twenty halvings fit between
/// neighbours before their class is numbered anew.
inline constexpr std::int64_t kKeyStep = std::int64_t{1} << 20;

/// The Store on SQLite. Its bodies are split by table: store_jobs.cpp, store_attempts.cpp, ...
class SqliteStore final : public Store {
  public:
    explicit SqliteStore(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

    Status begin() override;
    Status commit() override;
    void rollback() override;
    Status savepoint() override;
    void rollback_to_savepoint() override;
    Status release_savepoint() override;
    bool in_transaction() const override { return connection_->in_transaction(); }
    Millis last_commit_time() const override { return last_commit_; }
    Status checkpoint_wal() override;
    std::int64_t wal_pages() const override { return connection_->wal_pages(); }
    std::int64_t planning_version() const override { return connection_->changes_total() - quiet_changes_; }

    Result<JobId> insert_job(const JobSpec& spec, const std::string& schedule, UnixMs nominal, JobId rerun_of,
                             std::int64_t waiting_max, UnixMs now, const EventText& event) override;
    Result<std::optional<Job>> job(JobId id) override;
    Status update_spec(JobId id, const JobSpec& spec, int if_version, UnixMs now,
                       const EventText& event) override;
    Status set_held(JobId id, bool held, UnixMs now, const EventText& event) override;
    Status move_job(JobId id, JobId other, bool before, UnixMs now, const EventText& event) override;
    Status set_hidden(JobId id, UnixMs now, const EventText& event) override;
    Result<std::vector<JobId>> finish_waiting(JobId id, JobState to, const Outcome& outcome, UnixMs now,
                                              const EventText& event) override;
    Result<std::vector<JobId>> skipped_dependents(JobId parent) override;
    Status set_eligible(JobId id, bool is_eligible, UnixMs now) override;

    Result<Attempt> grant(JobId id, const std::string& token, const std::string& device, Bytes budget,
                          UnixMs now, const EventText& event) override;
    Status set_worker(const AttemptId& id, const ProcessIdentity& worker) override;
    Status set_running(const AttemptId& id, const std::optional<ProcessIdentity>& command,
                       EnforcementGrade grade, UnixMs now, const EventText& event) override;
    Status set_yielding(const AttemptId& id, JobId beneficiary, const std::string& reason, UnixMs deadline,
                        UnixMs now, const EventText& event) override;
    Status set_stopping(const AttemptId& id, const std::string& reason, UnixMs deadline, UnixMs now,
                        const EventText& event) override;
    Result<std::vector<JobId>> end_attempt(const AttemptId& id, const Transition& transition,
                                           const AttemptReport& report,
                                           const std::vector<wire::Artifact>& artifacts, Bytes peak,
                                           UnixMs now, const EventText& event) override;
    Status release_lease(const AttemptId& id) override;
    Status set_lease_use(const AttemptId& id, Bytes used, Bytes peak) override;
    Result<bool> has_been_over_budget(JobId id) override;
    Status set_progress(const AttemptId& id, const Progress& progress) override;
    Status set_ran(const AttemptId& id, Millis ran) override;
    Result<Millis> ran(const AttemptId& id) override;
    Status add_checkpoint(const Checkpoint& checkpoint, UnixMs now, const EventText& event) override;
    Status refuse_checkpoint(const AttemptId& by, const std::string& path, UnixMs now,
                             const EventText& event) override;
    Result<bool> forget_checkpoints(JobId id, UnixMs ended_before) override;
    Result<std::optional<Checkpoint>> last_checkpoint(JobId id) override;
    Result<std::optional<Attempt>> attempt(const AttemptId& id) override;
    Result<std::optional<Attempt>> attempt_by_token(const std::string& token) override;

    Status load_planning(Snapshot& snapshot, UnixMs now) override;
    Result<std::shared_ptr<const std::vector<KindStats>>> run_stats() override;
    Result<int> wake_due(UnixMs now, int limit) override;
    Result<std::vector<JobId>> jobs_past_start_deadline(UnixMs now, int limit) override;
    Status set_wait_reasons(JobId id, const std::vector<std::string>& codes, UnixMs now) override;

    Status record_plan(const PlanRecord& record) override;

    Result<std::vector<Schedule>> schedules() override;
    Status put_schedule(const Schedule& schedule, bool must_be_new, UnixMs now,
                        const EventText& event) override;
    Status delete_schedule(const std::string& name, UnixMs now, const EventText& event) override;
    Status set_schedule_enabled(const std::string& name, bool enabled, UnixMs now,
                                const EventText& event) override;
    Status set_next_fire(ScheduleId id, std::optional<UnixMs> next) override;
    Result<bool> record_fire(ScheduleId id, UnixMs nominal, const std::string& decision,
                             const std::string& reason, UnixMs now, const EventText& event) override;
    Result<std::vector<Job>> open_jobs_of_schedule(const std::string& name) override;

    Result<std::int64_t> begin_import(const std::string& database, const std::string& actor) override;
    Status add_imported(std::int64_t import, const ImportedLine& line, ImportCounts& counts) override;
    Status finish_import(std::int64_t import, const std::string& chain, const ImportCounts& counts,
                         UnixMs now, const EventText& event) override;
    Result<bool> sweep_imports(std::int64_t kept, int limit) override;
    Status prune_imports(UnixMs before, int limit) override;

    Result<std::optional<IdempotentAnswer>> idempotent(const std::string& scope,
                                                       const std::string& key) override;
    Status remember_idempotent(const std::string& scope, const std::string& key,
                               const IdempotentAnswer& answer, UnixMs expires) override;
    Result<std::optional<std::string>> setting(const std::string& name) override;
    Status set_setting(const std::string& name, const std::string& value) override;
    Status put_token(const StoredToken& token) override;
    Status delete_token(const std::string& sha256) override;
    Result<EventSeq> append_event(const EventText& event, JobId job, int attempt, UnixMs now) override;
    std::vector<StoredEvent> take_new_events() override;
    Status prune(UnixMs jobs_before, UnixMs events_before, int limit) override;
    Result<std::vector<std::string>> self_check() override;

    /// For tests that bring about disk failures.
    Connection& connection() { return *connection_; }

  private:
    /// Plans older than `before`, the oldest first.
    Status prune_plans(UnixMs before, int limit);
    /// Changes made while one lives do not matter to planning. What is not declared so does matter.
    class Quiet {
      public:
        explicit Quiet(SqliteStore& store) : store_(store), from_(store.connection_->changes_total()) {}
        ~Quiet() {
            if (is_kept_) store_.quiet_changes_ += store_.connection_->changes_total() - from_;
        }
        Quiet(const Quiet&) = delete;
        Quiet& operator=(const Quiet&) = delete;
        /// They matter after all.
        void drop() { is_kept_ = false; }

      private:
        SqliteStore& store_;
        std::int64_t from_;
        bool is_kept_ = true;
    };
    /// The last candidate by stored order, where there are as many as a pass looks at.
    struct Horizon {
        std::int64_t priority = 0;
        std::int64_t order_key = 0;
    };
    struct StateRow {
        JobState state;
        int version = 0;
        int attempt = 0;
    };
    Result<StateRow> state_of(JobId id);
    Status write_dependencies(JobId id, const JobSpec& spec, bool& is_impossible);
    /// True when no pass over what is stored now would look at the new job `id`.
    bool is_beyond_horizon(JobId id, const JobSpec& spec) const;
    Status check_cycle(JobId id, const std::vector<Dependency>& after);
    /// A free order_key between two neighbours of a class; makes room when there is none.
    Result<std::int64_t> key_beside(const std::string& job_class, std::int64_t key, bool before);
    Status write_labels(JobId id, const JobSpec& spec);
    /// Counts down the children of an ended job; children that can never run are skipped, and their
    /// children after them. Appends the skipped ones.
    Status settle_dependents(JobId ended, JobState state, UnixMs now, std::vector<JobId>& skipped);
    Status end_waiting_row(JobId id, JobState to, const Outcome& outcome, UnixMs now, const EventText& event);
    Status end_wait_spans(JobId id, UnixMs now);
    Status change_job(const AttemptId& id, const AttemptReport& report, const Transition& transition,
                      Bytes peak, UnixMs now);
    Status write_artifacts(const AttemptId& id, const std::vector<wire::Artifact>& artifacts);
    Status keep_statistics(const AttemptId& id, Millis run_time, Bytes peak);
    Status load_live(Snapshot& snapshot, UnixMs now);
    Status load_candidates(Snapshot& snapshot, JobClass job_class, UnixMs now);
    /// The name after `after` among the windows of jobs that are ready; the first one without it.
    Result<std::optional<std::string>> next_window(JobClass job_class,
                                                   const std::optional<std::string>& after);
    /// A job of this very database, which is there.
    Result<bool> is_own(const ImportedLine& line);
    Status load_labels(std::vector<Job>& jobs);
    Status load_gpu_time(Snapshot& snapshot, UnixMs now);
    Status keep_gpu_time(const AttemptId& id, UnixMs now);
    /// Brings the reasons that only the store sees (held, dependencies, times) in step with the row.
    Status note_standing_reasons(JobId id, UnixMs now);
    Status load_pause(Snapshot& snapshot, UnixMs now);
    Status read_leases(Snapshot& snapshot);

    std::unique_ptr<Connection> connection_;
    Millis last_commit_;
    std::vector<StoredEvent> new_events_;
    std::vector<std::size_t> events_at_savepoints_;  ///< innermost last
    /// Estimates change only when an attempt ends; null = read again.
    std::shared_ptr<const std::vector<KindStats>> stats_;
    std::int64_t quiet_changes_ = 0;
    /// By class and window: what the newest look at the queue saw last.
    std::array<std::map<std::string, Horizon>, kJobClasses.size()> horizons_;
};

/// A refusal because the job is not in a state that allows the change.
Error state_conflict(JobId id, JobState state, const char* wanted);
Error no_such_job(JobId id);

}  // namespace nightshift::db
