#pragma once

namespace nightshift {

/// Prints the failed condition to stderr and aborts. Stays on in release builds: a daemon that has
/// lost an invariant must stop before it writes; its jobs are adopted by the next one.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace nightshift

#define NIGHTSHIFT_ASSERT(condition) \
    ((condition) ? static_cast<void>(0) : ::nightshift::assertion_failed(#condition, __FILE__, __LINE__))
