#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "db/connection.h"
#include "db/plan_record.h"
#include "scheduler/replay.h"

namespace nightshift::db {

/// Reads whole stretches of the past, and the whole queue: what projections rest on. A read-only
/// connection of its own. Thread: any one at a time.
class PastReader {
  public:
    static Result<std::unique_ptr<PastReader>> open(const std::string& path);

    /// The plan with that number, or the last one before it, with policy and devices filled in.
    /// Nothing when the log does not reach back so far.
    Result<std::optional<PlanRecord>> world_at_plan(std::int64_t plan_seq);
    /// The same for an instant.
    Result<std::optional<PlanRecord>> world_at(UnixMs at);
    /// Records after `after` up to `until`, in order, as they were written.
    Result<std::vector<PlanRecord>> plans(std::int64_t after, UnixMs until);

    /// Jobs that were open at some time in from..until, by id, with their attempts; held ones that never
    /// started are left out. Fails: invalid_argument "too_much_past" when there are more than `limit`.
    Result<std::vector<PastJob>> jobs(UnixMs from, UnixMs until, int limit);

    /// Live jobs first, then the waiting ones in the queue's stored order, at most `limit`.
    Result<std::vector<Job>> open_jobs(int limit);

  private:
    explicit PastReader(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
    Result<std::optional<PlanRecord>> world(std::int64_t plan_seq);
    Result<std::vector<PlanDevice>> devices_of(std::int64_t plan_seq);
    Status read_attempts(PastJob& job);
    Status read_release(PastJob& job);
    /// When the memory of ended attempts was seen free, as far as somebody waited for that.
    Status read_freed_memory(std::vector<PastJob>& jobs, UnixMs from, UnixMs until);

    std::unique_ptr<Connection> connection_;
};

}  // namespace nightshift::db
