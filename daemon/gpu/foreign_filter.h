#pragma once

#include "scheduler/units.h"

namespace nightshift::daemon {

/// Memory of other programs, believed at once when it grows and slowly when it shrinks: a program that
/// frees for a moment will want its memory back.
class ForeignFilter {
  public:
    /// Falls towards the measurement with this time constant.
    static constexpr Millis kFall = seconds(5);

    /// Takes a measurement at a steady time, gives the filtered value.
    Bytes update(Bytes measured, Millis at);
    Bytes value() const { return value_; }
    /// True while the value is still falling: another sample is worth taking.
    bool is_settling() const { return value_ > measured_; }

  private:
    Bytes value_;
    Bytes measured_;
    Millis at_;
    bool has_value_ = false;
};

}  // namespace nightshift::daemon
