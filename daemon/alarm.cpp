#include "daemon/alarm.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <utility>

namespace nightshift::daemon {

namespace {

class SystemAlarm final : public Alarm {
  public:
    explicit SystemAlarm(boost::asio::io_context& io) : timer_(io) {}
    ~SystemAlarm() override { silence(); }

    void set(Millis wait, std::function<void()> ring) override {
        silence();
        timer_.expires_after(std::chrono::milliseconds(std::max<std::int64_t>(wait.value, 0)));
        pending_ = std::make_shared<bool>(true);
        timer_.async_wait(
            [pending = pending_, ring = std::move(ring)](const boost::system::error_code& error) {
                // A handler that is already queued cannot be taken back: the mark says that it is stale.
                if (error || !std::exchange(*pending, false)) return;
                ring();
            });
    }

    void silence() override {
        if (pending_) *pending_ = false;
        timer_.cancel();
    }

    bool is_set() const override { return pending_ && *pending_; }

  private:
    boost::asio::steady_timer timer_;
    std::shared_ptr<bool> pending_;  ///< true until it rings or is silenced
};

}  // namespace

std::unique_ptr<Alarm> SystemAlarms::make() {
    return std::make_unique<SystemAlarm>(io_);
}

}  // namespace nightshift::daemon
