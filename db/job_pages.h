#pragma once

#include "db/connection.h"
#include "db/queries.h"

namespace nightshift::db {

/// Rows that one page may step over while it looks for a text in names: about five milliseconds. A page that
/// stops there is shorter than its limit, and its cursor goes on behind the last row it saw.
inline constexpr int kPageRowsMax = 4096;

/// One page of jobs, newest first. Every combination of filters is a merge of index runs, one for each group
/// (state, class, kind) that has jobs and matches; only a text in names has to be looked for row by row.
Result<JobPage> read_job_page(Connection& connection, const JobFilter& filter);

}  // namespace nightshift::db
