#pragma once

#include <optional>

#include "scheduler/units.h"

namespace nightshift::daemon {

/// When to try again what has failed: soon at first, then less and less often, never given up. Times are
/// steady.
class RetryPace {
  public:
    static constexpr Millis kSteps[] = {seconds(1), seconds(5), seconds(15), seconds(60), seconds(300)};

    /// Something failed. The wait for the first attempt begins with the first failure; later failures of the
    /// same trouble change nothing.
    void fail(Millis now);
    bool is_due(Millis now) const { return due_ && now >= *due_; }
    /// An attempt is made now; the next one follows after a longer wait.
    void attempt(Millis now);
    void succeed();

  private:
    std::optional<Millis> due_;
    std::size_t step_ = 0;
};

}  // namespace nightshift::daemon
