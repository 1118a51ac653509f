// Reading the body of a request: whole, or piece by piece for a batch.
#include <algorithm>
#include <memory>

#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>

#include "api/await_value.h"
#include "api/connection.h"
#include "api/problem.h"

namespace nightshift::api {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr std::size_t kReadPiece = 16 * 1024;
constexpr std::size_t kBatchPiece = 64 * 1024;

Problem body_problem(const boost::system::error_code& code, std::uint64_t limit) {
    if (code == http::error::body_limit) {
        return make_problem(413, "body_too_large",
                            "The body is larger than " + std::to_string(limit / 1024 / 1024) + " MiB.",
                            "Send it in several parts.");
    }
    return make_problem(400, "bad_framing", "The body of the request is damaged: " + code.message() + ".",
                        "Send it again.");
}

/// Beast's view of the request has to agree with ours, or two readers would split the stream differently.
template <typename Parser>
bool agrees(Parser& parser, const RequestHead& head) {
    if (parser.chunked() != head.is_chunked) return false;
    if (!head.content_length) return true;
    const auto length = parser.content_length();
    return length && *length == *head.content_length;
}

}  // namespace

Connection::Task<bool> Connection::send_continue(const RequestHead& head) {
    if (head.find("expect") == nullptr || buffer_.size() > head_bytes_) co_return true;
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    arm(write_deadline_, core_->options.limits.write_stall);
    auto [code, count] =
        co_await asio::async_write(socket_, asio::buffer(kContinue.data(), kContinue.size()), kTuple);
    static_cast<void>(count);
    disarm(write_deadline_);
    co_return !code;
}

Connection::Task<std::optional<Problem>> Connection::read_body(const RequestHead& head, std::string& body) {
    http::request_parser<http::buffer_body> parser;
    parser.header_limit(kHeadBytesMax * 2);
    parser.body_limit(kJsonBodyBytesMax);
    const std::uint64_t expected = head.content_length.value_or(kJsonBodyBytesMax);
    const Millis limit =
        core_->options.limits.body_deadline + seconds(static_cast<std::int64_t>(expected / (64 * 1024)));
    arm(read_deadline_, limit);
    auto [header_code, header_bytes] = co_await http::async_read_header(socket_, buffer_, parser, kTuple);
    static_cast<void>(header_bytes);
    if (header_code || !agrees(parser, head)) {
        disarm(read_deadline_);
        co_return make_problem(400, "bad_framing", "The head of the request can be read in two ways.",
                               "Send it again.");
    }
    const std::size_t piece_bytes = std::clamp<std::uint64_t>(expected, 1, kReadPiece);
    const auto piece = std::make_unique_for_overwrite<char[]>(piece_bytes);
    while (!parser.is_done()) {
        parser.get().body().data = piece.get();
        parser.get().body().size = piece_bytes;
        auto [code, count] = co_await http::async_read_some(socket_, buffer_, parser, kTuple);
        static_cast<void>(count);
        body.append(piece.get(), piece_bytes - parser.get().body().size);
        if (!code || code == http::error::need_buffer) continue;
        const bool is_late = read_deadline_.is_expired;
        disarm(read_deadline_);
        if (is_late)
            co_return make_problem(408, "request_timeout", "The body came too slowly.", "Send it again.");
        co_return body_problem(code, kJsonBodyBytesMax);
    }
    disarm(read_deadline_);
    co_return std::nullopt;
}

Connection::Task<void> Connection::feed_sink(const RequestHead& head, std::shared_ptr<BodySink> sink) {
    http::request_parser<http::buffer_body> parser;
    parser.header_limit(kHeadBytesMax * 2);
    parser.body_limit(kBatchBodyBytesMax);
    auto [header_code, header_bytes] = co_await http::async_read_header(socket_, buffer_, parser, kTuple);
    static_cast<void>(header_bytes);
    bool is_fine = !header_code && agrees(parser, head);
    std::string piece(kBatchPiece, '\0');
    while (is_fine && !parser.is_done()) {
        parser.get().body().data = piece.data();
        parser.get().body().size = piece.size();
        arm(read_deadline_, core_->options.limits.write_stall);
        auto [code, count] = co_await http::async_read_some(socket_, buffer_, parser, kTuple);
        static_cast<void>(count);
        disarm(read_deadline_);
        const std::string_view bytes(piece.data(), piece.size() - parser.get().body().size);
        if (code && code != http::error::need_buffer) is_fine = false;
        if (!is_fine || bytes.empty()) continue;
        std::function<void(std::function<void(bool)>)> take = [&sink, bytes](std::function<void(bool)> more) {
            sink->take(bytes, std::move(more));
        };
        is_fine = co_await await_value<bool>(core_->loop, take);
    }
    sink->finish(is_fine);
}

}  // namespace nightshift::api
