#pragma once

#include <cstddef>
#include <span>

#include "jobs/table/byte_listener.h"

namespace nightshift::jobs {

/// Writes `pieces` to `descriptor` from where they lie, whole and in their order, in as few calls as the
/// system allows; goes on where a call took a part, or nothing because of a signal. After each call
/// `listener` (null: nobody) hears what it took. Returns 0, or the errno of the call that failed: what was
/// heard is written then, too, and nothing else. No piece may change meanwhile.
int write_gathered(int descriptor, std::span<const std::span<const std::byte>> pieces,
                   ByteListener* listener);

}  // namespace nightshift::jobs
