#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/attempt.h"
#include "scheduler/cron.h"
#include "scheduler/job.h"

namespace nightshift::db {

struct JobFilter {
    std::vector<JobState> states;  ///< empty = all; hidden jobs never
    std::vector<std::string> kinds;
    std::vector<JobClass> classes;
    std::string text;  ///< substring of the name, case-insensitive
    std::string schedule;
    int limit = 50;              ///< 1..200
    std::int64_t before_id = 0;  ///< keyset: ids below it; 0 = newest first page
};

struct JobPage {
    /// Newest first. With a text to look for there may be fewer than the limit, even none, before the end.
    std::vector<Job> jobs;
    std::int64_t next_before_id = 0;  ///< 0 = no more
};

struct StoredEvent {
    EventSeq seq;
    UnixMs at;
    std::string topic, kind;
    JobId job;
    int attempt = 0;
    std::string actor, data_json;
};

struct StoredArtifact {
    int attempt = 0;
    std::string name, type;
    Bytes bytes;
    std::string sha256;
};

struct StateCount {
    JobState state;
    std::string kind;
    std::int64_t count = 0;
};

/// A committed checkpoint as history keeps it: what it was, not where it lies.
struct StoredCheckpoint {
    int attempt = 0;
    std::int64_t step = 0;
    Bytes bytes;
    std::string sha256;
    UnixMs committed_at;
};

/// A nominal time of a schedule that was decided.
struct StoredFire {
    std::string schedule;
    UnixMs nominal, at;
    std::string decision, reason;
};

/// Ids of jobs that may have ended, and where to go on.
struct FinishedIds {
    std::vector<JobId> ids;
    JobId next_after;  ///< 0 = no more
};

/// Wait reasons of a job, one row per closed gate and stretch.
struct WaitSpan {
    std::string reason;
    UnixMs from;
    std::optional<UnixMs> to;
};

/// Events of one job that a history holds; later ones are left out.
inline constexpr int kHistoryEventsMax = 5000;

/// All that is stored of one job.
struct JobHistory {
    Job job;
    std::vector<Attempt> attempts;
    std::vector<StoredEvent> events;  ///< the first kHistoryEventsMax
    std::vector<WaitSpan> waits;
    std::vector<StoredCheckpoint> checkpoints;
    std::vector<StoredArtifact> artifacts;
    /// Parts that lie in damaged pages: "spec", "attempts", "events", "waits", "checkpoints", "artifacts".
    std::vector<std::string> unreadable;
};

/// A line of another database's history, as it was written.
struct ImportedLine {
    std::string origin;  ///< the database it comes from
    std::string type;    ///< "job", "fire", "unreadable"
    std::string text;    ///< with `number`: its place among the lines of its type
    std::int64_t number = 0;
    std::int64_t version = 0;
    std::string object;
    UnixMs imported_at;
};

/// What became of the lines of an import.
struct ImportCounts {
    std::int64_t added = 0;
    std::int64_t replaced = 0;  ///< a newer version of a job that was there
    std::int64_t same = 0;
    std::int64_t older = 0;  ///< not newer than what is kept, and not the same
    std::int64_t own = 0;    ///< jobs of this database itself, which has them
};

struct StoredImport {
    std::string database, chain, actor;
    std::int64_t added = 0, replaced = 0;
    UnixMs at;
};

inline constexpr std::size_t kImportedOriginsMax = 1000;

struct StoredToken {
    std::string sha256, role, label;
    std::optional<UnixMs> expires_at;
};

/// What was made under an Idempotency-Key, and the hash of the request that asked for it.
struct IdempotentAnswer {
    std::string request_hash;
    std::vector<JobId> jobs;  ///< in their order; none when it was no job
};

/// What became of one promise about the stored data.
struct CheckResult {
    std::string code;     ///< "I7"
    std::string name;     ///< what must hold, in a few words
    std::string held_by;  ///< "constraint", "trigger", "query", "design"
    std::string meaning;  ///< what is wrong when it does not hold
    std::string remedy;   ///< what to do then
    /// What breaks it: ids of rows, or words; the first few. Empty = it holds.
    std::vector<std::string> broken;
};

/// Read side for the HTTP layer: a read-only connection of its own. Thread: the one that made it.
class Queries {
  public:
    virtual ~Queries() = default;
    virtual Result<std::optional<Job>> job(JobId id) = 0;
    virtual Result<JobPage> jobs(const JobFilter& filter) = 0;
    virtual Result<std::vector<Attempt>> attempts(JobId id) = 0;
    virtual Result<std::vector<StoredArtifact>> artifacts(JobId id) = 0;
    virtual Result<std::vector<StoredEvent>> events(JobId job, EventSeq after, int limit) = 0;
    /// Events of every job after `after`, oldest first; empty optional when `after` is older than what is
    /// kept.
    virtual Result<std::optional<std::vector<StoredEvent>>> events_after(EventSeq after, int limit) = 0;
    virtual Result<EventSeq> last_event() = 0;
    virtual Result<std::vector<WaitSpan>> wait_spans(JobId id) = 0;
    virtual Result<std::vector<Schedule>> schedules() = 0;
    virtual Result<std::optional<Schedule>> schedule(const std::string& name) = 0;
    virtual Result<std::vector<StateCount>> counts() = 0;
    virtual Result<std::vector<StoredToken>> tokens() = 0;
    virtual Result<std::optional<IdempotentAnswer>> idempotent(const std::string& scope,
                                                               const std::string& key) = 0;

    // --- history -----------------------------------------------------------------------------
    /// Names this database for good, also in its copies.
    virtual Result<std::string> database_id() = 0;
    /// Ended jobs above `after`, hidden ones too, oldest first; at most `limit`, of a bounded stretch of
    /// numbers, so there may be none before the end. In a damaged file also ids of other jobs, or of none.
    virtual Result<FinishedIds> finished_after(JobId after, int limit) = 0;
    /// Fails in a damaged file with "database_damaged" when nothing of the job can be read.
    virtual Result<std::optional<JobHistory>> job_history(JobId id) = 0;
    /// Fires in the order of schedule and nominal time, from behind the given one.
    virtual Result<std::vector<StoredFire>> fires_after(const std::string& schedule, UnixMs nominal,
                                                        int limit) = 0;
    /// Databases whose history was imported, in their order; the first kImportedOriginsMax.
    virtual Result<std::vector<std::string>> imported_origins() = 0;
    /// Lines of the same origin and type behind `after`, in their order. At least one, where there is one,
    /// and fewer than the limit when they are long.
    virtual Result<std::vector<ImportedLine>> imported_after(const ImportedLine& after, int limit) = 0;
    /// Imported jobs of an origin below the id `before`, newest first; as many as imported_after() gives.
    virtual Result<std::vector<ImportedLine>> imported_jobs(const std::string& origin, std::int64_t before,
                                                            int limit) = 0;
    virtual Result<std::vector<StoredImport>> imports(int limit) = 0;  ///< newest first
};

}  // namespace nightshift::db
