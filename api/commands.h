#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/history_intake.h"
#include "db/queries.h"
#include "scheduler/cron.h"
#include "scheduler/job.h"
#include "scheduler/night_contract.h"
#include "scheduler/planner.h"
#include "scheduler/policy.h"
#include "scheduler/queue_view.h"
#include "scheduler/replay.h"
#include "scheduler/snapshot.h"

namespace nightshift::api {

/// A kind as `nightshift-worker kinds` describes it.
struct KindInfo {
    std::string name;
    JobClass job_class = JobClass::kTraining;
    Bytes vram, ram;
    int cpu = 1;
    CheckpointMode checkpoint = CheckpointMode::kWorker;
    std::string params_schema_json;  ///< JSON Schema of `params`
    std::string raw_json;            ///< the kind's whole row, for GET /kinds
    std::string estimate_param;      ///< param whose value in seconds is the run time ("seconds" of sleep)
};

/// Makes a request that creates safe to repeat; see api/idempotency.h.
struct IdempotencyKey {
    std::string scope;         ///< the route
    std::string key;           ///< empty = none
    std::string request_hash;  ///< SHA-256 of address and body
};

/// What a request that creates made, now or (`is_replayed`) when its key was first used.
struct Created {
    std::vector<JobId> jobs;
    bool is_replayed = false;
};

struct SubmitRequest {
    JobSpec spec;
    std::string schedule;  ///< set for jobs a schedule made
    JobId rerun_of;
    std::string actor;  ///< role and way in, for the event log
    IdempotencyKey key;
    bool wants_job = false;
};

struct SubmitReply {
    JobId id;
    bool is_replayed = false;  ///< the key was known: this is the first answer again
    std::optional<Job> job;    ///< as it was stored, when it was wanted and made now
};

struct JobPatch {
    std::optional<JobSpec> spec;  ///< the whole spec after the merge
    int if_match_version = 0;
};

enum class JobAction { kCancel, kHold, kRelease, kPreempt };

/// A new place among the waiting jobs of the same class.
struct MoveRequest {
    enum class Place { kTop, kBottom, kBefore, kAfter };
    Place place = Place::kTop;
    JobId other;  ///< for kBefore and kAfter: a waiting job of the same class
    std::string actor;
};

struct PauseRequest {
    bool paused = true;
    std::string reason;
    std::optional<UnixMs> until;
    std::string actor;
};

class Storage;

/// What the newest committed planning pass saw, and so decided. `zones` must outlive it. Thread: the loop.
class PlannedQueue {
  public:
    PlannedQueue(Snapshot snapshot, const TimeZones& zones, UnixMs now)
        : snapshot_(std::move(snapshot)), zones_(zones), now_(now) {}
    PlannedQueue(const PlannedQueue&) = delete;
    PlannedQueue& operator=(const PlannedQueue&) = delete;

    const Snapshot& snapshot() const { return snapshot_; }
    /// The pass's plan with its sentences; made when somebody asks, for passes are many and readers few.
    const Plan& plan() const {
        if (!plan_) plan_.emplace(nightshift::plan(snapshot_, zones_, now_));
        return *plan_;
    }
    /// Reasons of the jobs that it did not look at; made when somebody asks.
    const QueueView& rest() const {
        if (!rest_) rest_.emplace(snapshot_, zones_, now_);
        return *rest_;
    }

  private:
    Snapshot snapshot_;
    const TimeZones& zones_;
    UnixMs now_;
    mutable std::optional<Plan> plan_;
    mutable std::optional<QueueView> rest_;
};

/// Planning passes since the start: snapshot, decision and what was written of it.
struct PassCounters {
    std::int64_t made = 0;
    std::int64_t skipped = 0;  ///< ticks in which nothing had changed that a pass could see
    double seconds_sum = 0;
    double seconds_last = 0;
};

struct ServerStatus {
    std::string version, boot_id, data_folder, worker_path;
    std::int64_t pid = 0;
    UnixMs started_at;
    bool is_simulated = false;
    bool is_ready = false;
    std::string not_ready_reason;
    Millis last_commit;  ///< time of the newest database commit, fsync included
    std::int64_t plan_seq = 0;
    std::int64_t connections = 0, rejected = 0;
    std::int64_t commits = 0;
    PassCounters passes;
    /// "ok", "disk_low", "failing" (nothing can be stored), "rescue" (damaged: reading only).
    std::string storage = "ok";
    std::string storage_text;  ///< what it means and what to do; empty when ok
};

/// A job that a schedule is going to submit.
struct ComingJob {
    Job job;
    UnixMs at;
    bool skips_overlap = false;  ///< not submitted while an earlier fire's jobs are not over
};

/// The queue's forecast for a deadline, with the jobs it speaks of: the lines of `jobs`, then of `coming`.
struct ContractAnswer {
    NightContract contract;
    std::vector<Job> jobs;
    std::vector<ComingJob> coming;
    std::int64_t left_out = 0;  ///< waiting jobs behind the ones looked at
};

/// A stretch of the past, and what to change in it. A plan's number or an instant says where it begins.
struct ReplayRequest {
    std::optional<std::int64_t> from_plan;
    std::optional<UnixMs> from_at;
    std::optional<UnixMs> until;  ///< now, where absent
    std::optional<Policy> policy;
    std::vector<Bytes> cards;  ///< sizes of other cards; empty = the recorded ones
};

struct ReplayAnswer {
    Replay replay;
    std::vector<PastJob> jobs;  ///< in the order of the stories' runs
    std::int64_t from_plan = 0;
    UnixMs from, until;
};

/// What the HTTP layer asks of the daemon. Every call happens on the loop thread; a mutation answers
/// through its callback, on the same thread, after the transaction with it was committed.
class Commands {
  public:
    template <typename T>
    using Reply = std::function<void(Result<T>)>;
    virtual ~Commands() = default;

    // --- mutations ---------------------------------------------------------------------------
    virtual void submit(SubmitRequest request, Reply<SubmitReply> reply) = 0;
    virtual void act(JobId job, JobAction action, std::string actor, Reply<void> reply) = 0;
    virtual void retry(JobId job, bool with_dependents, std::string actor, IdempotencyKey key,
                       Reply<Created> reply) = 0;
    virtual void patch(JobId job, JobPatch patch, std::string actor, Reply<void> reply) = 0;
    virtual void hide(JobId job, std::string actor, Reply<void> reply) = 0;
    /// Changes `order_key` of a waiting job; id and created_at stay. Has to be overridden by the daemon
    /// (one UPDATE of job.order_key in the tick's transaction); until then it says so.
    virtual void move(JobId job, MoveRequest request, Reply<void> reply) {
        static_cast<void>(job), static_cast<void>(request);
        reply(Error{ErrorCode::kUnsupported, "move_unsupported", "This daemon cannot reorder jobs.",
                    "Change `priority` with PATCH instead.", ""});
    }
    /// The key counts for a new schedule.
    virtual void put_schedule(Schedule schedule, bool must_be_new, std::string actor, IdempotencyKey key,
                              Reply<Created> reply) = 0;
    virtual void delete_schedule(std::string name, std::string actor, Reply<void> reply) = 0;
    virtual void enable_schedule(std::string name, bool enabled, std::string actor, Reply<void> reply) = 0;
    virtual void run_schedule(std::string name, std::string actor, IdempotencyKey key,
                              Reply<Created> reply) = 0;
    virtual void put_policy(Policy policy, std::string policy_json, std::string actor, Reply<void> reply) = 0;
    virtual void pause(PauseRequest request, Reply<void> reply) = 0;
    /// `nightshift down`: asks every job to yield, then stops the daemon.
    virtual void shut_down(bool yield_jobs, std::string actor, Reply<void> reply) = 0;

    /// Stores the hash of a new credential (browser session, rotation), or forgets one.
    virtual void put_token(db::StoredToken token, Reply<void> reply) = 0;
    virtual void delete_token(std::string sha256, Reply<void> reply) = 0;

    /// Checks and copies of the database; null where there are none.
    virtual Storage* storage() { return nullptr; }

    // --- reads that need live state ----------------------------------------------------------
    /// Planner input of this moment. With `job`, the waiting job is added to its class's candidates.
    virtual Result<Snapshot> snapshot() const = 0;
    /// The newest pass, for reasons that are only shown: costs nothing. Null where there is none yet.
    virtual std::shared_ptr<const PlannedQueue> planned() const { return nullptr; }
    virtual const TimeZones& zones() const = 0;
    /// What the newest runs of each kind and group took; null = none known.
    virtual std::shared_ptr<const std::vector<KindStats>> run_stats() const { return nullptr; }
    virtual UnixMs now() const = 0;
    virtual std::vector<DeviceState> devices() const = 0;
    virtual std::vector<Lease> leases() const = 0;
    virtual ServerStatus status() const = 0;
    virtual const std::vector<KindInfo>& kinds() const = 0;
    virtual const Policy& policy() const = 0;
    virtual std::string policy_json() const = 0;
    virtual int policy_version() const = 0;
    /// Newest progress of a live job: fresher than the database's.
    virtual std::optional<Progress> progress(JobId job) const = 0;
    /// How long the live attempt of a job has run, by steady clocks; nothing before it runs.
    virtual std::optional<Millis> ran(JobId job) const {
        static_cast<void>(job);
        return std::nullopt;
    }
    /// Why a live job cannot be ended, for people; nothing where that is not so.
    virtual std::optional<std::string> why_stuck(JobId job) const {
        static_cast<void>(job);
        return std::nullopt;
    }
    /// Samples of the last hours, oldest first.
    virtual std::vector<DeviceSample> history(const std::string& device_uuid, UnixMs since) const = 0;

    // --- projections: computed beside the loop, answered on its thread -------------------------
    /// Fails: unavailable "projections_busy" while too many are asked for.
    virtual void night_contract(UnixMs until, int futures, Reply<ContractAnswer> reply) {
        static_cast<void>(until), static_cast<void>(futures);
        reply(no_projections());
    }
    virtual void replay(ReplayRequest request, Reply<ReplayAnswer> reply) {
        static_cast<void>(request);
        reply(no_projections());
    }

    // --- events ------------------------------------------------------------------------------
    struct EventRecord {
        EventSeq seq;
        UnixMs at;
        std::string topic;  ///< SSE name: job gpu queue schedule policy resync
        std::string kind;   ///< e.g. "submitted", "started", "preempted"
        JobId job;
        int attempt = 0;
        std::string actor;
        std::string data_json;
    };
    /// Called on the loop thread for every event after its commit; progress and GPU samples come with
    /// seq 0 and are not stored. Returns a handle whose destruction ends the subscription.
    virtual std::shared_ptr<void> subscribe(std::function<void(const EventRecord&)> listener) = 0;

    // --- history of other databases ----------------------------------------------------------
    /// An import of another database's history; `database` is the one that wrote the file.
    virtual void begin_history(std::string database, std::string actor,
                               Reply<std::shared_ptr<HistoryIntake>> reply) {
        static_cast<void>(database), static_cast<void>(actor);
        reply(Error{ErrorCode::kUnsupported, "import_unsupported", "This daemon cannot import a history.", "",
                    ""});
    }

  private:
    static Error no_projections() {
        return {ErrorCode::kUnsupported, "no_projections", "This daemon cannot look ahead or back.", "", ""};
    }
};

}  // namespace nightshift::api
