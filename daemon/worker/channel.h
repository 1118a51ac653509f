#pragma once

#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "scheduler/wire.h"

namespace nightshift::daemon {

/// One connection of a worker: frames lines, limits them, keeps what is to be sent in order. A line that
/// is too long or not understood closes the connection; the worker connects again. Thread: the loop.
class Channel : public std::enable_shared_from_this<Channel> {
  public:
    using Socket = boost::asio::local::stream_protocol::socket;
    explicit Channel(Socket socket);

    /// Starts to read. `on_close` is called once, also after close().
    void open(std::function<void(wire::FromWorker)> on_message,
              std::function<void(const std::string&)> on_close);
    void send(const wire::FromDaemon& message);
    void close(const std::string& why);
    /// The process at the other end, as the kernel says; 0 when it does not say.
    std::int64_t peer_pid() const;
    /// True when the other end is a process of the same user.
    bool is_peer_ours() const;

  private:
    void read();
    void take_lines();
    void write();

    Socket socket_;
    std::string input_;
    std::deque<std::string> output_;
    std::size_t output_bytes_ = 0;
    bool is_writing_ = false;
    bool is_closed_ = false;
    std::array<char, 16384> buffer_{};
    std::function<void(wire::FromWorker)> on_message_;
    std::function<void(const std::string&)> on_close_;
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
