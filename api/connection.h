#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "api/gate.h"
#include "api/head_parser.h"
#include "api/server_core.h"

namespace nightshift::api {

using Socket = boost::asio::generic::stream_protocol::socket;

/// One client: reads a head, lets the gate judge it, reads the body, calls the handler, writes the
/// answer; again until either side has enough. Every wait has a deadline. Thread: the loop.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(std::shared_ptr<ServerCore> core, Socket socket, Peer peer);
    ~Connection();
    void start();
    /// Closes now when idle or when it follows a log or the events; other answers get their end.
    void stop();
    /// Closes now, whatever is under way.
    void abort();
    /// Writes a 503 and closes: the connection above the limit.
    void start_refused();

  private:
    template <typename T>
    using Task = boost::asio::awaitable<T>;
    using Head = std::variant<RequestHead, HeadRefusal>;

    /// A timer that cancels the socket's operations when a wait takes too long.
    struct Deadline {
        explicit Deadline(boost::asio::io_context& loop) : timer(loop) {}
        boost::asio::steady_timer timer;
        bool is_expired = false;
        std::uint64_t round = 0;
    };

    Task<void> run();
    Task<void> run_refused();
    Task<std::optional<Head>> read_head();
    Task<bool> serve(RequestHead head);
    Task<bool> refuse(const RequestHead* head, Problem problem);
    Task<bool> answer(std::shared_ptr<Request> request, const Route* route);
    Task<bool> stream_body(std::shared_ptr<Request> request, const Route* route);
    /// Problem = refused with it; the connection is closed then.
    Task<std::optional<Problem>> read_body(const RequestHead& head, std::string& body);
    Task<void> feed_sink(const RequestHead& head, std::shared_ptr<BodySink> sink);
    Task<bool> send_continue(const RequestHead& head);
    Task<bool> write(const RequestHead* head, Response response, bool keep_alive);
    Task<bool> write_plain(const Response& response, bool is_head, bool keep_alive);
    Task<bool> write_stream(const Response& response, bool keep_alive);
    Task<void> pause(Millis delay);
    Task<void> linger();
    void watch_for_close(std::shared_ptr<BodyStream> stream);
    void count(const Route& route, int status);
    void arm(Deadline& deadline, Millis limit);
    void disarm(Deadline& deadline);
    void close();
    std::string_view buffered() const;

    std::shared_ptr<ServerCore> core_;
    Socket socket_;
    Peer peer_;
    boost::beast::flat_buffer buffer_;
    std::size_t head_bytes_ = 0;
    Deadline read_deadline_;
    Deadline write_deadline_;
    std::weak_ptr<BodyStream> streaming_;  ///< what is being sent now
    std::string request_id_;
    bool is_idle_ = true;
    bool is_counted_ = false;
};

}  // namespace nightshift::api
