#pragma once

#include <string>

#include "scheduler/result.h"

namespace nightshift::daemon {

/// Puts a verified backup in the place of the database of a stopped daemon. What was there is kept in
/// backup/replaced-TIME/ of the data folder. Returns what was done, for people. Numbers of jobs that the
/// backup does not know stay used, and their folders are left alone: a new job never gets the files of
/// another. Fails: conflict "data_folder_in_use"; what verify_backup() says; nothing is changed then.
Result<std::string> restore_backup(const std::string& data_folder, const std::string& backup);

}  // namespace nightshift::daemon
