#pragma once

#include <string>
#include <vector>

#include "api/commands.h"

namespace nightshift::daemon {

/// Asks the worker program, once, what it can run. Blocks for as long as the worker takes to say.
/// Fails: unavailable "worker_missing", corrupt "worker_answer".
Result<std::vector<api::KindInfo>> read_kinds(const std::string& worker_path);

}  // namespace nightshift::daemon
