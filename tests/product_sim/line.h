#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daemon/worker/channel.h"
#include "tests/product_sim/diary.h"
#include "tests/support/dice.h"

namespace nightshift::tests {

/// One connection between a simulated worker and the daemon, both ends of it. What is said travels as the
/// real lines, in order and a little later; a connection that breaks loses what is under way to a daemon
/// that died, and delivers the rest before its end shows.
class Line final : public daemon::Channel, public std::enable_shared_from_this<Line> {
  public:
    Line(Agenda& agenda, Dice& dice, Diary& diary, std::int64_t pid)
        : agenda_(agenda), dice_(dice), diary_(diary), pid_(pid) {}

    // The daemon's end.
    void open(std::function<void(wire::FromWorker)> on_message,
              std::function<void(const std::string&)> on_close) override;
    void send(const wire::FromDaemon& message) override;
    void close(const std::string& why) override;
    std::int64_t peer_pid() const override { return pid_; }

    // The worker's end.
    void attach(std::function<void(const wire::FromDaemon&)> on_message, std::function<void()> on_cut);
    void say(const wire::FromWorker& message);
    /// The worker is gone: the daemon reads what was said, then the end.
    void hang_up();
    /// The daemon is gone, and what it had not read with it.
    void lose_daemon();

  private:
    /// When the next line of one direction arrives.
    Millis travel(std::int64_t& last);
    void take(const std::string& text);
    void hear(const std::string& text);

    Agenda& agenda_;
    Dice& dice_;
    Diary& diary_;
    std::int64_t pid_;
    std::int64_t last_up_ = 0, last_down_ = 0;  ///< steady: arrival of the newest line
    bool is_daemon_there_ = true, is_worker_there_ = true;
    std::function<void(wire::FromWorker)> on_message_;
    std::function<void(const std::string&)> on_close_;
    std::function<void(const wire::FromDaemon&)> on_heard_;
    std::function<void()> on_cut_;
};

}  // namespace nightshift::tests
