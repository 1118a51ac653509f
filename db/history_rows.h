#pragma once

#include <optional>
#include <string>
#include <vector>

#include "db/connection.h"
#include "db/queries.h"

namespace nightshift::db {

// What a history is made of, read from a sound database. Their promises stand in queries.h.

Result<std::string> read_database_id(Connection& connection);
Result<FinishedIds> read_finished_after(Connection& connection, JobId after, int limit);
Result<std::vector<StoredCheckpoint>> read_checkpoints(Connection& connection, JobId id);
Result<std::vector<StoredFire>> read_fires_after(Connection& connection, const std::string& schedule,
                                                 UnixMs nominal, int limit);
/// All or nothing: the first part that cannot be read is the answer.
Result<std::optional<JobHistory>> gather_job_history(Queries& queries, Connection& connection, JobId id);

}  // namespace nightshift::db
