#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <nlohmann/json_fwd.hpp>

#include "api/http_server.h"
#include "tests/api/fake_daemon.h"

namespace nightshift::tests {

/// A whole answer as the socket gave it.
struct Answer {
    int status = 0;          ///< 0: the connection was closed without one
    std::string head, body;  ///< body with chunks joined
    bool is_closed = false;  ///< the server closed after it
    /// Value of a field (lower-case name), "" when absent.
    std::string field(std::string_view name) const;
    bool has_code(std::string_view code) const;
    /// The body, which has to be JSON.
    nlohmann::json json() const;
};

/// A TCP connection to the server for raw bytes.
class RawClient {
  public:
    explicit RawClient(std::uint16_t port);
    ~RawClient();
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    void send(std::string_view bytes);
    void close_sending();
    /// The next answer: waits for its end by Content-Length, chunks or the close. `is_head`: no body comes.
    Answer read_answer(bool is_head = false);
    /// Waits until `text` has come; returns everything read so far, or what there is when the server closes.
    std::string read_until(std::string_view text);
    /// True when the server closes without sending more.
    bool is_closed_by_server();

  private:
    bool fill();
    int socket_ = -1;
    std::string buffer_;
};

/// The HTTP server over a FakeDaemon, in a thread of its own, on a free port.
class TestServer {
  public:
    explicit TestServer(api::ConnectionLimits limits = {}, std::string socket_path = "");
    ~TestServer();

    std::uint16_t port() const { return server_->port(); }
    /// Runs on the server's thread and waits for it.
    template <typename Action>
    auto on_loop(Action action) {
        std::promise<decltype(action())> done;
        boost::asio::post(loop_, [&] {
            if constexpr (std::is_void_v<decltype(action())>) {
                action();
                done.set_value();
            } else {
                done.set_value(action());
            }
        });
        return done.get_future().get();
    }
    FakeDaemon& daemon() { return daemon_; }
    std::size_t calls() {
        return on_loop([this] { return daemon_.calls.size(); });
    }

    /// "GET /path" with a good Host and, unless empty, the token. `more` are whole header lines.
    std::string request(std::string_view method, std::string_view target, std::string_view token,
                        std::string_view body = "", std::string_view more = "") const;
    /// Sends one request over a connection of its own.
    Answer send(std::string_view method, std::string_view target, std::string_view token = kAdminToken,
                std::string_view body = "", std::string_view more = "");
    Answer send_raw(std::string_view bytes, bool is_head = false);

  private:
    FakeDaemon daemon_;
    boost::asio::io_context loop_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{loop_.get_executor()};
    std::unique_ptr<api::HttpServer> server_;
    std::thread thread_;
};

}  // namespace nightshift::tests
