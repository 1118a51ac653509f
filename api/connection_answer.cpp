// Writing an answer: whole, or as a stream that ends with its client.
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>

#include "api/await_value.h"
#include "api/connection.h"
#include "api/response_fields.h"
#include "scheduler/crash_point.h"

namespace nightshift::api {

namespace http = boost::beast::http;

Connection::Task<bool> Connection::write(const RequestHead* head, Response response, bool keep_alive) {
    const bool is_head = head != nullptr && head->method == Method::kHead;
    if (response.headers.empty() || response.headers.front().first != "X-Request-Id") {
        response.headers.emplace(response.headers.begin(), "X-Request-Id", request_id_);
    }
    if (!core_->options.storage_state.empty()) {
        response.headers.emplace_back("Nightshift-Storage", core_->options.storage_state);
    }
    if (response.stream && !is_head) co_return co_await write_stream(response, keep_alive);
    if (response.stream) response.stream->cancel();
    co_return co_await write_plain(response, is_head, keep_alive);
}

Connection::Task<bool> Connection::write_plain(const Response& response, bool is_head, bool keep_alive) {
    http::response<http::string_body> message;
    set_fields(message, response, keep_alive);
    const bool has_no_body = response.status == 204 || response.status == 304;
    if (!has_no_body) message.content_length(response.stream_bytes.value_or(response.body.size()));
    if (!is_head && !has_no_body) message.body() = response.body;
    http::response_serializer<http::string_body> serializer(message);
    crash_point("answer.before_write");
    arm(write_deadline_, core_->options.limits.write_stall);
    boost::system::error_code result;
    if (is_head) {
        auto [code, count] = co_await http::async_write_header(socket_, serializer, kTuple);
        static_cast<void>(count);
        result = code;
    } else {
        auto [code, count] = co_await http::async_write(socket_, serializer, kTuple);
        static_cast<void>(count);
        result = code;
    }
    disarm(write_deadline_);
    crash_point("answer.written");
    co_return !result && keep_alive;
}

Connection::Task<bool> Connection::write_stream(const Response& response, bool keep_alive) {
    http::response<http::buffer_body> message;
    set_fields(message, response, keep_alive);
    if (response.stream_bytes)
        message.content_length(*response.stream_bytes);
    else
        message.chunked(true);
    message.body().data = nullptr;
    message.body().more = true;
    http::response_serializer<http::buffer_body> serializer(message);
    std::shared_ptr<BodyStream> stream = response.stream;
    arm(write_deadline_, core_->options.limits.write_stall);
    auto [header_code, header_bytes] = co_await http::async_write_header(socket_, serializer, kTuple);
    static_cast<void>(header_bytes);
    disarm(write_deadline_);
    bool is_fine = !header_code;
    bool is_end = false;
    if (is_fine && !response.sink) {
        streaming_ = stream;
        watch_for_close(stream);
    }
    while (is_fine && !is_end) {
        std::function<void(BodyStream::Ready)> begin = [&stream](BodyStream::Ready ready) {
            stream->next(std::move(ready));
        };
        BodyStream::Chunk chunk = co_await await_value<BodyStream::Chunk>(core_->loop, begin);
        is_end = chunk.is_end;
        if (chunk.is_broken || !socket_.is_open()) is_fine = false;
        if (!is_fine || (chunk.bytes.empty() && !is_end)) continue;
        message.body().data = chunk.bytes.empty() ? nullptr : chunk.bytes.data();
        message.body().size = chunk.bytes.size();
        message.body().more = !is_end;
        arm(write_deadline_, core_->options.limits.write_stall);
        auto [code, count] = co_await http::async_write(socket_, serializer, kTuple);
        static_cast<void>(count);
        disarm(write_deadline_);
        if (code && code != http::error::need_buffer) is_fine = false;
    }
    stream->cancel();
    streaming_.reset();
    boost::system::error_code ignored;
    if (!is_fine)
        socket_.close(ignored);
    else if (!response.sink)
        socket_.cancel(ignored);
    co_return is_fine&& keep_alive;
}

void Connection::watch_for_close(std::shared_ptr<BodyStream> stream) {
    // A client that follows a log or the events sends nothing more: readable without bytes is its end.
    std::weak_ptr<BodyStream> weak_stream = stream;
    socket_.async_wait(Socket::wait_read,
                       [weak = weak_from_this(), weak_stream](const boost::system::error_code& code) {
                           const auto self = weak.lock();
                           const auto watched = weak_stream.lock();
                           if (code || !self || !watched) return;
                           boost::system::error_code failed;
                           if (self->socket_.available(failed) > 0 && !failed) return;
                           self->socket_.close(failed);
                           watched->cancel();
                       });
}

}  // namespace nightshift::api
