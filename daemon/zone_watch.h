#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/loop.h"

namespace nightshift::daemon {

/// Notices an update of the time-zone database while the daemon runs, and tells it in an event. Looks in
/// ticks, at most once a second and, as there is a tick a minute, at least once a minute. Thread: the loop.
class ZoneWatch final : public TickStage {
  public:
    /// Reads what has changed; the names of the zones whose rules are others now.
    using Refresh = std::function<std::vector<std::string>()>;

    /// `on_change` is called inside the tick, before schedules and plans are worked out in it.
    ZoneWatch(const Clock& clock, Refresh refresh, std::function<void()> on_change);

    Status decide(db::Store& store, UnixMs now) override;
    void act() override { untold_.clear(); }
    void forget() override {}  ///< what is untold is told by the next tick
    std::optional<UnixMs> next_wakeup() const override { return std::nullopt; }

  private:
    const Clock& clock_;
    Refresh refresh_;
    std::function<void()> on_change_;
    Millis looked_at_;                 ///< steady
    std::vector<std::string> untold_;  ///< changed, and not in a committed event yet
};

}  // namespace nightshift::daemon
