#include "daemon/cli/connection.h"

#include <algorithm>
#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <istream>
#include <optional>

#include "daemon/cli/failure.h"

namespace nightshift::cli {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

using Stream = beast::basic_stream<asio::generic::stream_protocol>;
constexpr std::size_t kPieceBytes = 64U * 1024;

/// A connection whose steps block, each under the same time limit.
class Wire {
  public:
    Wire(const Endpoint& endpoint, Millis timeout)
        : stream_(loop_), timeout_(std::chrono::milliseconds(timeout.value)), where_(endpoint.url()) {
        finish("connect", [&](auto done) { stream_.async_connect(address_of(endpoint), done); });
    }

    void write(http::request<http::string_body>& request) {
        finish("send to", [&](auto done) {
            http::async_write(stream_, request,
                              [done](beast::error_code error, std::size_t) { done(error); });
        });
    }

    /// Sends the head of `request` and then the file. When the daemon closes in the middle, its answer says
    /// why: that is left to the reader.
    void write_file(const http::request<http::string_body>& head, std::istream& file, std::uint64_t bytes) {
        http::request<http::buffer_body> message(head.base());
        message.content_length(bytes);
        http::request_serializer<http::buffer_body> serializer(message);
        finish("send to", [&](auto done) {
            http::async_write_header(stream_, serializer,
                                     [done](beast::error_code error, std::size_t) { done(error); });
        });
        std::array<char, kPieceBytes> piece;
        while (bytes > 0) {
            file.read(piece.data(),
                      static_cast<std::streamsize>(std::min<std::uint64_t>(piece.size(), bytes)));
            const auto count = static_cast<std::size_t>(file.gcount());
            if (count == 0) throw Failure(kExitFailed, "the file became shorter while it was sent");
            bytes -= count;
            message.body().data = piece.data();
            message.body().size = count;
            message.body().more = bytes > 0;
            bool is_refused = false;
            finish("send to", [&](auto done) {
                http::async_write(stream_, serializer, [&, done](beast::error_code error, std::size_t) {
                    is_refused = error == asio::error::broken_pipe || error == asio::error::connection_reset;
                    done(error == http::error::need_buffer || is_refused ? beast::error_code{} : error);
                });
            });
            if (is_refused) return;
        }
    }

    template <typename Parser>
    void read_header(Parser& parser) {
        finish("read from", [&](auto done) {
            http::async_read_header(stream_, buffer_, parser,
                                    [done](beast::error_code error, std::size_t) { done(error); });
        });
    }

    template <typename Parser>
    void read_body(Parser& parser) {
        finish("read from", [&](auto done) {
            http::async_read(stream_, buffer_, parser,
                             [done](beast::error_code error, std::size_t) { done(error); });
        });
    }

    /// What has arrived of the body into the parser's buffer_body; a follower must not wait for a full one.
    void read_piece(http::response_parser<http::buffer_body>& parser) {
        finish("read from", [&](auto done) {
            http::async_read_some(stream_, buffer_, parser, [done](beast::error_code error, std::size_t) {
                done(error == http::error::need_buffer ? beast::error_code{} : error);
            });
        });
    }

  private:
    asio::generic::stream_protocol::endpoint address_of(const Endpoint& endpoint) {
        if (!endpoint.socket_path.empty()) {
            return asio::local::stream_protocol::endpoint(endpoint.socket_path);
        }
        beast::error_code error;
        const auto address =
            asio::ip::make_address(endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host, error);
        if (error) {
            throw Failure(kExitUsage, "'" + endpoint.host + "' is not an address",
                          "Use a loopback address; for another machine make an SSH tunnel: ssh -L "
                          "7390:127.0.0.1:7390 HOST");
        }
        return asio::ip::tcp::endpoint(address, endpoint.port);
    }

    template <typename Step>
    void finish(const char* what, Step step) {
        std::optional<beast::error_code> result;
        stream_.expires_after(timeout_);
        step([&result](beast::error_code error) { result = error; });
        loop_.restart();
        loop_.run();
        if (result.has_value() && !*result) return;
        const std::string reason = result.has_value() ? result->message() : "interrupted";
        throw Failure(
            kExitUnreachable, "cannot " + std::string(what) + " " + where_ + ": " + reason,
            "Is the daemon running? `nightshift up` starts it, `nightshift doctor` looks for the cause.");
    }

    asio::io_context loop_;
    Stream stream_;
    beast::flat_buffer buffer_;
    std::chrono::milliseconds timeout_;
    std::string where_;
};

http::request<http::string_body> message_of(const Endpoint& endpoint, const HttpRequest& request) {
    http::request<http::string_body> message;
    message.version(11);
    message.method_string(request.method);
    message.target(request.target);
    message.set(http::field::host, endpoint.host_header());
    message.set(http::field::user_agent, "nightshift");
    message.set(http::field::accept, "application/json, */*");
    message.set(http::field::connection, "close");
    for (const auto& [name, value] : request.headers) message.set(name, value);
    if (!request.body.empty() || request.body_file != nullptr)
        message.set(http::field::content_type, request.content_type);
    message.body() = request.body;
    message.prepare_payload();
    return message;
}

template <typename Message>
HttpReply reply_of(const Message& message) {
    HttpReply reply;
    reply.status = static_cast<int>(message.result_int());
    for (const auto& field : message) {
        reply.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    }
    return reply;
}

}  // namespace

std::string Endpoint::host_header() const {
    if (!socket_path.empty()) return "nightshift";
    const bool is_v6 = host.find(':') != std::string::npos;
    return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Endpoint::url() const {
    return socket_path.empty() ? "http://" + host_header() : "unix:" + socket_path;
}

std::string HttpReply::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (beast::iequals(key, beast::string_view(name.data(), name.size()))) return value;
    }
    return {};
}

HttpReply exchange(const Endpoint& endpoint, const HttpRequest& request) {
    Wire wire(endpoint, request.timeout);
    auto message = message_of(endpoint, request);
    if (request.body_file != nullptr) {
        wire.write_file(message, *request.body_file, request.body_bytes);
    } else {
        wire.write(message);
    }
    http::response_parser<http::string_body> parser;
    parser.body_limit(kReplyBytesMax);
    wire.read_body(parser);
    HttpReply reply = reply_of(parser.get());
    reply.body = std::move(parser.get().body());
    return reply;
}

HttpReply stream(const Endpoint& endpoint, const HttpRequest& request,
                 const std::function<bool(const HttpReply&, std::string_view)>& on_bytes) {
    Wire wire(endpoint, request.timeout);
    auto message = message_of(endpoint, request);
    wire.write(message);
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    wire.read_header(parser);
    HttpReply reply = reply_of(parser.get());
    std::array<char, kPieceBytes> piece;
    while (!parser.is_done()) {
        parser.get().body().data = piece.data();
        parser.get().body().size = piece.size();
        wire.read_piece(parser);
        const std::string_view bytes(piece.data(), piece.size() - parser.get().body().size);
        if (reply.status >= 400) {
            if (reply.body.size() + bytes.size() > kReplyBytesMax) break;
            reply.body += bytes;
        } else if (!bytes.empty() && !on_bytes(reply, bytes)) {
            break;
        }
    }
    return reply;
}

}  // namespace nightshift::cli
