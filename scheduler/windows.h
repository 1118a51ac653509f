#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/calendar.h"
#include "scheduler/policy.h"

namespace nightshift {

/// A window as one planning pass sees it.
struct WindowStatus {
    bool is_known = false;  ///< the policy has a window of this name
    bool is_open = false;
    std::optional<UnixMs> opens_at;   ///< next opening, when it is closed and ever opens
    std::optional<UnixMs> closes_at;  ///< when it is open and ever closes
    std::optional<UnixMs> closed_at;  ///< when it is closed: its last edge within two days
    std::string timezone;
};

/// VRAM kept for inference from an instant on, until the next step.
struct HeadroomStep {
    UnixMs from;
    Bytes vram;
    std::string window;
};

/// All windows of a policy at one instant, and the headroom of the two weeks after it. Computed once
/// a pass, since every candidate asks for it. Value type; keeps no reference.
class WindowBook {
  public:
    WindowBook(const Policy& policy, const TimeZones& zones, UnixMs now);

    /// The empty name is a window that is always open.
    const WindowStatus& status(const std::string& name) const;
    /// The largest headroom within [now, until], or the one of now without `until`.
    HeadroomStep headroom(std::optional<UnixMs> until) const;
    /// In order; the first one is in force now.
    const std::vector<HeadroomStep>& headroom_steps() const { return steps_; }
    /// The next opening or closing of any window.
    std::optional<UnixMs> next_edge() const { return next_edge_; }

  private:
    std::map<std::string, WindowStatus> statuses_;
    std::vector<HeadroomStep> steps_;
    std::optional<UnixMs> next_edge_;
};

/// The job's own window, else its class's; empty = none.
const std::string& window_of(const JobSpec& spec, const Policy& policy);

}  // namespace nightshift
