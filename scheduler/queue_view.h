#pragma once

#include <optional>

#include "scheduler/planner.h"
#include "scheduler/windows.h"

namespace nightshift {

/// Reasons of waiting jobs that a pass over a snapshot did not look at, without another pass: for lists of
/// many jobs. `snapshot` and `zones` must outlive it.
class QueueView {
  public:
    QueueView(const Snapshot& snapshot, const TimeZones& zones, UnixMs now);
    /// What the job itself lacks (held, dependencies, times, window, a device that could take it), else that
    /// others are ahead of it. Nothing when a pass would look at it.
    std::optional<Gate> gate_of(const Job& job) const;

  private:
    const Snapshot& snapshot_;
    const TimeZones& zones_;
    UnixMs now_;
    WindowBook windows_;
};

}  // namespace nightshift
