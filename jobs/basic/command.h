#pragma once

#include "jobs/runtime/command_host.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

/// Runs the host's command line as a child in a process group of its own, until it has ended and
/// nothing it started is left. Forwards its progress lines, asks it to save (SIGTERM) on a yield when
/// its checkpoint mode is `signal`, ends it on a cancel: SIGTERM, the grace, SIGKILL to the whole group.
/// Throws JobError("no_such_program", "not_executable", "no_such_folder", "spawn_failed").
void run_command(JobContext& context, CommandHost& host);

}  // namespace nightshift::jobs
