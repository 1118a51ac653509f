#pragma once

#include "daemon/clock_shift.h"
#include "scheduler/clock.h"

namespace nightshift::daemon {

/// The machine's clocks; tests may move the wall clock. Any thread.
class SystemClock final : public Clock {
  public:
    UnixMs now() const override;
    Millis steady() const override;

  private:
    ClockShift shift_;
};

}  // namespace nightshift::daemon
