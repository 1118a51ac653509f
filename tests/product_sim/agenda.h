#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "daemon/alarm.h"
#include "scheduler/clock.h"

namespace nightshift::tests {

/// The simulated time: a clock, and everything that is going to happen, in its order. Time stands still
/// while something happens and then leaps to what comes next. Outlives its alarms.
class Agenda final : public Clock, public daemon::Alarms {
  public:
    using Key = std::pair<std::int64_t, std::uint64_t>;  ///< steady time, order of writing down

    explicit Agenda(UnixMs start) : wall_(start) {}

    UnixMs now() const override { return wall_ + steady_; }
    Millis steady() const override { return steady_; }
    /// Somebody sets the wall clock, or the machine slept.
    void jump(Millis by) { wall_ = wall_ + by; }

    Key after(Millis wait, std::function<void()> happen);
    void forget(const Key& key) { entries_.erase(key); }
    std::unique_ptr<daemon::Alarm> make() override;

    /// Leaps to the next entry not later than `until` and takes it off. Empty: there is none, and it is
    /// `until` now.
    std::function<void()> next(Millis until);

  private:
    UnixMs wall_;  ///< wall clock at steady 0
    Millis steady_;
    std::uint64_t written_ = 0;
    std::map<Key, std::function<void()>> entries_;
};

}  // namespace nightshift::tests
