#include "api/connection.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>

#include <nlohmann/json.hpp>

#include "api/digest.h"
#include "api/problem.h"
#include "api/response_fields.h"
#include "scheduler/crash_point.h"

namespace nightshift::api {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kReadPiece = 16 * 1024;
constexpr std::size_t kBatchPiece = 64 * 1024;
constexpr std::size_t kLingerBytesMax = 256 * 1024;
constexpr Millis kLingerTime = seconds(1);

/// Awaits a value that comes through a callback, once, now or later, on the loop's thread.
template <typename T>
asio::awaitable<T> await_value(asio::io_context& loop, std::function<void(std::function<void(T)>)> begin) {
    auto initiate = [&loop, &begin](auto handler) {
        auto kept = std::make_shared<decltype(handler)>(std::move(handler));
        begin([&loop, kept](T value) {
            asio::post(loop, [kept, value = std::move(value)]() mutable { (*kept)(std::move(value)); });
        });
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(initiate,
                                                                                    asio::use_awaitable);
}

Problem body_problem(const boost::system::error_code& code, std::uint64_t limit) {
    if (code == http::error::body_limit) {
        return make_problem(413, "body_too_large",
                            "The body is larger than " + std::to_string(limit / 1024 / 1024) + " MiB.",
                            "Send it in several parts.");
    }
    return make_problem(400, "bad_framing", "The body of the request is damaged: " + code.message() + ".",
                        "Send it again.");
}

bool wants_close(const RequestHead& head) {
    if (head.minor_version == 0) return true;
    const std::string* value = head.find("connection");
    return value != nullptr && value->find("close") != std::string::npos;
}

/// Beast's view of the request has to agree with ours, or two readers would split the stream differently.
template <typename Parser>
bool agrees(Parser& parser, const RequestHead& head) {
    if (parser.chunked() != head.is_chunked) return false;
    if (!head.content_length) return true;
    const auto length = parser.content_length();
    return length && *length == *head.content_length;
}

/// A damaged database is only read: said before a request is looked at, since its kinds are not known then.
bool is_refused_in_rescue(const Route& route, const ServerOptions& options) {
    const bool is_change = route.method != Method::kGet && route.role >= Role::kOperator;
    const bool is_needed = route.pattern == "/api/v1/shutdown" || route.pattern == "/api/v1/session/code";
    return options.storage_state == "rescue" && is_change && !is_needed;
}

/// Calls a handler so that it answers exactly once, also when it throws.
void call_handler(const Route& route, Context& context, const RequestPtr& request, Respond respond) {
    auto is_answered = std::make_shared<bool>(false);
    Respond once = [is_answered, respond = std::move(respond)](Response response) {
        if (std::exchange(*is_answered, true)) return;
        respond(std::move(response));
    };
    if (is_refused_in_rescue(route, context.options)) {
        const Problem problem = make_problem(
            503, "rescue_mode", "The database is damaged, so nothing can be changed.",
            "Stop the daemon (`nightshift down`) and restore a backup (`nightshift backup ls`, `nightshift "
            "restore FILE`). What can still be read is listed; jobs that run go on.");
        return once(to_response(problem, request->head.path, request->id));
    }
    try {
        route.handler(context, request, once);
    } catch (const std::exception& failure) {
        const Problem problem =
            make_problem(500, "internal", std::string("The daemon failed: ") + failure.what() + ".",
                         "Please report it with the request_id.");
        once(to_response(problem, request->head.path, request->id));
    }
}

void release_unused_memory(boost::beast::flat_buffer& buffer) {
    if (buffer.size() == 0 && buffer.capacity() > 64 * 1024) buffer.shrink_to_fit();
}

}  // namespace

Connection::Connection(std::shared_ptr<ServerCore> core, Socket socket, Peer peer)
    : core_(std::move(core)),
      socket_(std::move(socket)),
      peer_(peer),
      read_deadline_(core_->loop),
      write_deadline_(core_->loop) {}

Connection::~Connection() {
    close();
}

void Connection::start() {
    is_counted_ = true;
    ++core_->counters.connections;
    asio::co_spawn(
        core_->loop, [self = shared_from_this()]() -> Task<void> { co_await self->run(); }, asio::detached);
}

void Connection::start_refused() {
    asio::co_spawn(
        core_->loop, [self = shared_from_this()]() -> Task<void> { co_await self->run_refused(); },
        asio::detached);
}

void Connection::stop() {
    if (is_idle_ || !streaming_.expired()) abort();
}

void Connection::abort() {
    close();
    // A stream and the coroutine that waits for its next chunk hold one another.
    if (const auto stream = streaming_.lock()) stream->cancel();
}

void Connection::close() {
    if (is_counted_) --core_->counters.connections;
    is_counted_ = false;
    disarm(read_deadline_);
    disarm(write_deadline_);
    boost::system::error_code ignored;
    socket_.close(ignored);
}

std::string_view Connection::buffered() const {
    return {static_cast<const char*>(buffer_.cdata().data()), buffer_.size()};
}

void Connection::arm(Deadline& deadline, Millis limit) {
    const std::uint64_t round = ++deadline.round;
    deadline.is_expired = false;
    deadline.timer.expires_after(std::chrono::milliseconds(limit.value));
    deadline.timer.async_wait(
        [weak = weak_from_this(), &deadline, round](const boost::system::error_code& code) {
            const auto self = weak.lock();
            if (code || !self || deadline.round != round) return;
            deadline.is_expired = true;
            boost::system::error_code ignored;
            self->socket_.cancel(ignored);
        });
}

void Connection::disarm(Deadline& deadline) {
    ++deadline.round;
    deadline.timer.cancel();
}

Connection::Task<void> Connection::run() {
    bool is_alive = true;
    while (is_alive && !core_->is_stopping) {
        is_idle_ = buffer_.size() == 0;
        std::optional<Head> head = co_await read_head();
        is_idle_ = false;
        if (!head) break;
        request_id_ = core_->request_prefix + std::to_string(core_->next_request++);
        if (auto* refusal = std::get_if<HeadRefusal>(&*head)) {
            Problem problem = make_problem(refusal->status, refusal->code, refusal->detail,
                                           "Send a plain HTTP/1.1 request, as curl does.");
            is_alive = co_await refuse(nullptr, std::move(problem));
        } else {
            is_alive = co_await serve(std::move(std::get<RequestHead>(*head)));
        }
        release_unused_memory(buffer_);
    }
    co_await linger();
    close();
}

Connection::Task<void> Connection::run_refused() {
    request_id_ = core_->request_prefix + std::to_string(core_->next_request++);
    Problem problem = make_problem(503, "too_many_connections", "All connections of this daemon are in use.",
                                   "Close some clients, or repeat the request in a few seconds.");
    problem.headers.emplace_back("Retry-After", "2");
    co_await refuse(nullptr, std::move(problem));
    co_await linger();
    close();
}

Connection::Task<std::optional<Connection::Head>> Connection::read_head() {
    std::size_t checked = 0;
    bool has_begun = buffer_.size() > 0;
    const ConnectionLimits& limits = core_->options.limits;
    arm(read_deadline_, has_begun ? limits.header_deadline : limits.idle_deadline);
    for (;;) {
        auto found = find_head_end(buffered(), checked);
        if (auto* refusal = std::get_if<HeadRefusal>(&found)) {
            disarm(read_deadline_);
            co_return Head(*refusal);
        }
        if (auto* size = std::get_if<std::size_t>(&found)) {
            disarm(read_deadline_);
            head_bytes_ = *size;
            auto parsed = parse_head(buffered().substr(0, *size));
            co_return std::optional<Head>(std::move(parsed));
        }
        auto space = buffer_.prepare(kReadPiece);
        auto [code, count] = co_await socket_.async_read_some(space, kTuple);
        if (code) {
            const bool is_late = read_deadline_.is_expired && has_begun;
            disarm(read_deadline_);
            if (!is_late) co_return std::nullopt;
            co_return Head(HeadRefusal{408, "request_timeout", "The head of the request came too slowly."});
        }
        if (!has_begun) arm(read_deadline_, limits.header_deadline);
        has_begun = true;
        is_idle_ = false;
        buffer_.commit(count);
    }
}

Connection::Task<bool> Connection::refuse(const RequestHead* head, Problem problem) {
    ++core_->counters.rejected[problem.code];
    ++core_->counters.rejected_total;
    Response response = to_response(problem, head != nullptr ? head->path : "", request_id_);
    co_await write(head, std::move(response), false);
    co_return false;
}

Connection::Task<bool> Connection::serve(RequestHead head) {
    const UnixMs now = core_->context.commands.now();
    Admission admission = admit(head, peer_, core_->context.port, routes(), core_->credentials, now);
    const std::string* expect = head.find("expect");
    if (!admission.refusal && expect != nullptr && *expect != "100-continue") {
        admission.refusal =
            make_problem(417, "bad_expectation", "Only Expect: 100-continue is known.", "Leave it out.");
    }
    if (admission.refusal) {
        if (admission.is_credential_failure) {
            const Millis delay = core_->credentials.refusal_delay(now);
            core_->credentials.count_failure(now);
            if (delay.value > 0) co_await pause(delay);
        }
        co_return co_await refuse(&head, std::move(*admission.refusal));
    }
    auto request = std::make_shared<Request>();
    request->head = std::move(head);
    request->params = std::move(admission.params);
    request->query = std::move(admission.query);
    request->caller = std::move(admission.caller);
    request->id = request_id_;
    if (request->head.has_body()) {
        if (!co_await send_continue(request->head)) co_return false;
        if (admission.route->body == BodyKind::kNdjson)
            co_return co_await stream_batch(request, admission.route);
        std::optional<Problem> problem = co_await read_body(request->head, request->body);
        if (problem) co_return co_await refuse(&request->head, std::move(*problem));
    } else {
        buffer_.consume(head_bytes_);
    }
    co_return co_await answer(std::move(request), admission.route);
}

void Connection::count(const Route& route, int status) {
    ++core_->counters.requests[{std::string(route.pattern), std::string(to_string(route.method)), status}];
}

Connection::Task<bool> Connection::answer(std::shared_ptr<Request> request, const Route* route) {
    Context& context = core_->context;
    std::function<void(Respond)> call = [&context, &request, route](Respond respond) {
        call_handler(*route, context, request, std::move(respond));
    };
    Response response = co_await await_value<Response>(core_->loop, call);
    count(*route, response.status);
    const bool keep_alive = !wants_close(request->head) && !response.close && !core_->is_stopping;
    co_return co_await write(&request->head, std::move(response), keep_alive);
}

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
    std::string piece(kReadPiece, '\0');
    while (!parser.is_done()) {
        parser.get().body().data = piece.data();
        parser.get().body().size = piece.size();
        auto [code, count] = co_await http::async_read_some(socket_, buffer_, parser, kTuple);
        static_cast<void>(count);
        body.append(piece.data(), piece.size() - parser.get().body().size);
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

Connection::Task<bool> Connection::stream_batch(std::shared_ptr<Request> request, const Route* route) {
    using namespace asio::experimental::awaitable_operators;
    Context& context = core_->context;
    std::function<void(Respond)> call = [&context, &request, route](Respond respond) {
        call_handler(*route, context, request, std::move(respond));
    };
    Response response = co_await await_value<Response>(core_->loop, call);
    count(*route, response.status);
    if (!response.sink || !response.stream) {
        co_await write(&request->head, std::move(response), false);
        co_return false;
    }
    const bool keep_alive = !wants_close(request->head) && !core_->is_stopping;
    std::shared_ptr<BodySink> sink = response.sink;
    bool is_written =
        co_await (feed_sink(request->head, sink) && write(&request->head, std::move(response), keep_alive));
    co_return is_written;
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

Connection::Task<void> Connection::pause(Millis delay) {
    asio::steady_timer timer(core_->loop);
    timer.expires_after(std::chrono::milliseconds(delay.value));
    co_await timer.async_wait(kTuple);
}

Connection::Task<void> Connection::linger() {
    // Closing with unread bytes would reset the connection and could destroy the answer on its way.
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    if (ignored || !socket_.is_open()) co_return;
    buffer_.clear();
    arm(read_deadline_, kLingerTime);
    std::size_t total = 0;
    while (total < kLingerBytesMax && !read_deadline_.is_expired) {
        auto space = buffer_.prepare(kReadPiece);
        auto [code, count] = co_await socket_.async_read_some(space, kTuple);
        if (code) break;
        total += count;
    }
    disarm(read_deadline_);
}

}  // namespace nightshift::api
