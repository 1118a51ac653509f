#pragma once

#include <atomic>
#include <cstdint>

#include "scheduler/units.h"

namespace nightshift::daemon {

/// What a test adds to the machine's wall clock: the milliseconds in the file of eight bytes (native byte
/// order) that NIGHTSHIFT_CLOCK_SHIFT names. Whoever writes the file moves the clock of the running daemon.
/// Unset, nothing can happen. Any thread.
class ClockShift {
  public:
    /// Throws std::runtime_error when the variable is set and its file cannot be mapped.
    ClockShift();
    ~ClockShift();
    ClockShift(const ClockShift&) = delete;
    ClockShift& operator=(const ClockShift&) = delete;

    Millis value() const { return {milliseconds_ == nullptr ? 0 : milliseconds_->load()}; }

  private:
    const std::atomic<std::int64_t>* milliseconds_ = nullptr;
};

}  // namespace nightshift::daemon
