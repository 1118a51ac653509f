#pragma once

#include "scheduler/clock.h"

namespace nightshift::daemon {

/// The machine's clocks. Any thread.
class SystemClock final : public Clock {
  public:
    UnixMs now() const override;
    Millis steady() const override;
};

}  // namespace nightshift::daemon
