#include "api/connection.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "api/await_value.h"
#include "api/handler_call.h"
#include "api/problem.h"

namespace nightshift::api {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kReadPiece = 16 * 1024;
constexpr std::size_t kLingerBytesMax = 256 * 1024;
constexpr Millis kLingerTime = seconds(1);

bool wants_close(const RequestHead& head) {
    if (head.minor_version == 0) return true;
    const std::string* value = head.find("connection");
    return value != nullptr && value->find("close") != std::string::npos;
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
            co_return co_await stream_body(request, admission.route);
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

Connection::Task<bool> Connection::stream_body(std::shared_ptr<Request> request, const Route* route) {
    using namespace asio::experimental::awaitable_operators;
    Context& context = core_->context;
    std::function<void(Respond)> call = [&context, &request, route](Respond respond) {
        call_handler(*route, context, request, std::move(respond));
    };
    Response response = co_await await_value<Response>(core_->loop, call);
    if (response.sink && !response.stream) {
        std::shared_ptr<BodySink> sink = response.sink;
        co_await feed_sink(request->head, sink);
        std::function<void(Respond)> ask = [&sink](Respond respond) { sink->answer(std::move(respond)); };
        response = co_await await_value<Response>(core_->loop, ask);
        count(*route, response.status);
        const bool keep_alive = !wants_close(request->head) && !response.close && !core_->is_stopping;
        co_return co_await write(&request->head, std::move(response), keep_alive);
    }
    count(*route, response.status);
    if (!response.sink) {
        co_await write(&request->head, std::move(response), false);
        co_return false;
    }
    const bool keep_alive = !wants_close(request->head) && !core_->is_stopping;
    std::shared_ptr<BodySink> sink = response.sink;
    bool is_written =
        co_await (feed_sink(request->head, sink) && write(&request->head, std::move(response), keep_alive));
    co_return is_written;
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
