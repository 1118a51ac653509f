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

/// Wait reasons of a job, one row per closed gate and stretch.
struct WaitSpan {
    std::string reason;
    UnixMs from;
    std::optional<UnixMs> to;
};

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
};

}  // namespace nightshift::db
