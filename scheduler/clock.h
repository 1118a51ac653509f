#pragma once

#include "scheduler/units.h"

namespace nightshift {

/// The only way to read time. Implementations: daemon/system_clock.h, tests/support/fake_clock.h.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual UnixMs now() const = 0;
    /// Rises steadily and stands still while the machine sleeps; for patience and rates, never stored.
    virtual Millis steady() const = 0;
};

}  // namespace nightshift
