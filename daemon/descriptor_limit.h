#pragma once

#include <cstdint>

namespace nightshift::daemon {

/// Lets this process open as many descriptors as the system allows it, which its 1,024 connections and the
/// jobs' logs and channels need. Returns the limit it had before, for its jobs; 0 = unknown.
std::int64_t raise_descriptor_limit();

/// Gives a process that was just started a limit of its own. It may be gone already.
void set_descriptor_limit(std::int64_t pid, std::int64_t limit);

}  // namespace nightshift::daemon
