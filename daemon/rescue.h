#pragma once

#include "daemon/config.h"

namespace nightshift::daemon {

/// Serves a damaged database for reading until it is told to stop: lists, logs, artifacts, the self-check
/// and the backups there are. Nothing is written to it and no job is started; jobs that run go on and
/// leave their results in their folders. Returns the exit code of the process.
int run_rescue(const Config& config, const Error& damage);

}  // namespace nightshift::daemon
