#pragma once

#include <string>

namespace nightshift::daemon {

/// Logs to standard error and to nightshiftd.log in the current folder (rotated, three kept). Levels:
/// error warn info debug.
void open_log(const std::string& level);

}  // namespace nightshift::daemon
