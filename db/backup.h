#pragma once

#include <cstdint>
#include <string>

#include "scheduler/result.h"

namespace nightshift::db {

/// Copies a database that is in use: one state of it, whatever is written meanwhile, as a single file
/// without a log, already on the disk, with every page and promise checked. Blocks for the time of the
/// copy, so it is called beside the loop. `to` must not exist; it is removed when the copy fails.
/// Fails: corrupt "backup_damaged", exhausted "disk_low", unavailable for what the disk says.
Status back_up(const std::string& from, const std::string& to);

/// Whether a file is a whole database of this program that this version can open. Fails: corrupt
/// "backup_damaged", conflict "not_our_file" or "schema_newer", unavailable "database_unreadable".
Status verify_backup(const std::string& path);

/// Ids below and at `job_id` are never given to a new job.
Status reserve_job_ids(const std::string& path, std::int64_t job_id);

}  // namespace nightshift::db
