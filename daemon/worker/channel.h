#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "scheduler/wire.h"

namespace nightshift::daemon {

/// One connection of a worker. Implementations: the control socket's, and those of a simulated machine.
/// Thread: the loop.
class Channel {
  public:
    virtual ~Channel() = default;
    /// Starts to read. `on_close` is called once, also after close().
    virtual void open(std::function<void(wire::FromWorker)> on_message,
                      std::function<void(const std::string&)> on_close) = 0;
    virtual void send(const wire::FromDaemon& message) = 0;
    virtual void close(const std::string& why) = 0;
    /// The process at the other end, as the kernel says; 0 when it does not say.
    virtual std::int64_t peer_pid() const = 0;
};

/// control.sock: takes connections and hands over those whose first line is a hello.
class ControlListener {
  public:
    using OnHello = std::function<void(std::shared_ptr<Channel>, const wire::Hello&)>;
    /// Listens on a path relative to the current folder. Fails: unavailable "control_socket".
    static Result<std::unique_ptr<ControlListener>> open(boost::asio::io_context& loop,
                                                         const std::string& path, OnHello on_hello);
    ~ControlListener();

  private:
    ControlListener(boost::asio::io_context& loop, OnHello on_hello);
    void accept();
    void greet(boost::asio::local::stream_protocol::socket socket);

    boost::asio::io_context& loop_;
    boost::asio::local::stream_protocol::acceptor acceptor_;
    boost::asio::steady_timer pause_;
    OnHello on_hello_;
    int strangers_ = 0;  ///< connections that have not said hello
    std::shared_ptr<bool> is_gone_ = std::make_shared<bool>(false);
};

}  // namespace nightshift::daemon
