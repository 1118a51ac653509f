#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "scheduler/units.h"

namespace nightshift::daemon {

/// Rings once after a while, unless it is set anew, silenced or destroyed before. Thread: the loop.
class Alarm {
  public:
    virtual ~Alarm() = default;
    /// Replaces what was set before. Rings on the loop, never inside of this call; `ring` may destroy the
    /// alarm. A wait of nothing or less rings soon.
    virtual void set(Millis wait, std::function<void()> ring) = 0;
    virtual void silence() = 0;
    virtual bool is_set() const = 0;
};

/// Where alarms come from: the system's timers, or a time that is simulated. Outlives its alarms.
class Alarms {
  public:
    virtual ~Alarms() = default;
    virtual std::unique_ptr<Alarm> make() = 0;
};

/// Real time, as Clock::steady() of the system's clock counts it.
class SystemAlarms final : public Alarms {
  public:
    explicit SystemAlarms(boost::asio::io_context& io) : io_(io) {}
    std::unique_ptr<Alarm> make() override;

  private:
    boost::asio::io_context& io_;
};

}  // namespace nightshift::daemon
