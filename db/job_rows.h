#pragma once

#include "db/statement.h"
#include "scheduler/attempt.h"
#include "scheduler/cron.h"
#include "scheduler/job.h"

namespace nightshift::db {

/// A row of job_view or job_hot_view, without `after` and labels.
Job read_job(const Statement& row);
/// Adds `after` and labels where the row says that there are some.
Status complete_job(Connection& connection, const Statement& row, Job& job);
/// Reads one job whole, or nothing.
Result<std::optional<Job>> find_job(Connection& connection, JobId id);

/// A row of attempt_view.
Attempt read_attempt(const Statement& row);

/// A row of checkpoint_view.
Checkpoint read_checkpoint(const Statement& row);

/// All columns of schedule in table order.
Result<Schedule> read_schedule(const Statement& row);
/// Every schedule, by name.
Result<std::vector<Schedule>> read_schedules(Connection& connection);

}  // namespace nightshift::db
