#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "scheduler/attempt.h"

namespace nightshift::daemon {

/// Changes with every start of the machine; empty where the system has none.
std::string boot_id();

/// Names the process that has this pid now; nothing when there is none (a zombie is none).
std::optional<ProcessIdentity> identify(std::int64_t pid);

/// This process.
ProcessIdentity own_identity();

/// The session a process belongs to; 0 when it cannot be told.
std::int64_t session_of(std::int64_t pid);

/// True only for the very process: same boot, same pid, same start time.
bool is_alive(const ProcessIdentity& identity);

/// The worker of an attempt below this data folder, found by its command line: the proof that an
/// attempt without a stored identity has no process.
std::optional<ProcessIdentity> find_worker(const AttemptId& attempt, const std::string& data_folder);

/// Is any process left in the process group that `leader` opened (or in a later one of that number)?
bool has_group(const ProcessIdentity& leader);

}  // namespace nightshift::daemon
