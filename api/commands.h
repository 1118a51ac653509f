#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "db/queries.h"
#include "scheduler/cron.h"
#include "scheduler/job.h"
#include "scheduler/planner.h"
#include "scheduler/policy.h"
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

struct SubmitRequest {
    JobSpec spec;
    std::string schedule;  ///< set for jobs a schedule made
    JobId rerun_of;
    std::string actor;            ///< role and way in, for the event log
    std::string idempotency_key;  ///< empty = none
    std::string request_hash;     ///< SHA-256 of the body, for the key
};

struct SubmitReply {
    JobId id;
    bool is_replayed = false;  ///< the key was known: this is the first answer again
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
    /// "ok", "disk_low", "failing" (nothing can be stored), "rescue" (damaged: reading only).
    std::string storage = "ok";
    std::string storage_text;  ///< what it means and what to do; empty when ok
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
    virtual void retry(JobId job, bool with_dependents, std::string actor, Reply<JobId> reply) = 0;
    virtual void patch(JobId job, JobPatch patch, std::string actor, Reply<void> reply) = 0;
    virtual void hide(JobId job, std::string actor, Reply<void> reply) = 0;
    /// Changes `order_key` of a waiting job; id and created_at stay. Has to be overridden by the daemon
    /// (one UPDATE of job.order_key in the tick's transaction); until then it says so.
    virtual void move(JobId job, MoveRequest request, Reply<void> reply) {
        static_cast<void>(job), static_cast<void>(request);
        reply(Error{ErrorCode::kUnsupported, "move_unsupported", "This daemon cannot reorder jobs.",
                    "Change `priority` with PATCH instead.", ""});
    }
    virtual void put_schedule(Schedule schedule, bool must_be_new, std::string actor, Reply<void> reply) = 0;
    virtual void delete_schedule(std::string name, std::string actor, Reply<void> reply) = 0;
    virtual void enable_schedule(std::string name, bool enabled, std::string actor, Reply<void> reply) = 0;
    virtual void run_schedule(std::string name, std::string actor, Reply<std::vector<JobId>> reply) = 0;
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
    virtual const TimeZones& zones() const = 0;
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
    /// Samples of the last hours, oldest first.
    virtual std::vector<DeviceSample> history(const std::string& device_uuid, UnixMs since) const = 0;

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
};

}  // namespace nightshift::api
