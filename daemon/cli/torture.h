#pragma once

#include <cstdint>
#include <string>

#include "scheduler/units.h"

namespace nightshift::cli {

struct Session;

struct TortureOptions {
    std::string time;        ///< "60s"; empty = no torture
    std::string scratch;     ///< folder to work below; empty = the data folder, so that it is the same disk
    std::uint64_t seed = 0;  ///< 0 = a new one
};

/// Starts daemons of its own in a scratch folder, kills them, cuts their files, takes their room away and
/// moves their clock until the time is over, and prints which promises held and how fast this machine is. The
/// user's daemon and data are not touched. Exit code: 0 every promise held, 1 one was broken (the folder is
/// kept and named), 130 ended by Ctrl-C. Throws Failure.
void torture(Session& session, const TortureOptions& options);

}  // namespace nightshift::cli
