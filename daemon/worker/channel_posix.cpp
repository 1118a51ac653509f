#include "daemon/worker/channel.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <deque>

#include "scheduler/crash_point.h"

namespace nightshift::daemon {

namespace {

/// A worker that does not read has this much sent to it, then its connection ends.
constexpr std::size_t kOutputBytesMax = 4 << 20;
constexpr int kStrangersMax = 64;
constexpr auto kHelloDeadline = std::chrono::seconds(10);

/// Frames lines, limits them, keeps what is to be sent in order. A line that is too long or not understood
/// closes the connection; the worker connects again.
class SocketChannel final : public Channel, public std::enable_shared_from_this<SocketChannel> {
  public:
    using Socket = boost::asio::local::stream_protocol::socket;
    explicit SocketChannel(Socket socket) : socket_(std::move(socket)) {}

    void open(std::function<void(wire::FromWorker)> on_message,
              std::function<void(const std::string&)> on_close) override;
    void send(const wire::FromDaemon& message) override;
    void close(const std::string& why) override;
    std::int64_t peer_pid() const override;
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

void SocketChannel::open(std::function<void(wire::FromWorker)> on_message,
                         std::function<void(const std::string&)> on_close) {
    const bool is_reading = static_cast<bool>(on_message_);
    on_message_ = std::move(on_message);
    on_close_ = std::move(on_close);
    if (!is_reading) read();
}

void SocketChannel::read() {
    socket_.async_read_some(
        boost::asio::buffer(buffer_),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t n) {
            if (self->is_closed_) return;
            if (error) return self->close("the worker closed it");
            self->input_.append(self->buffer_.data(), n);
            self->take_lines();
            if (!self->is_closed_) self->read();
        });
}

void SocketChannel::take_lines() {
    std::size_t start = 0;
    for (;;) {
        const std::size_t end = input_.find('\n', start);
        if (end == std::string::npos) break;
        if (end - start > wire::kWireLineBytesMax) return close("a line was too long");
        auto message = wire::decode_from_worker(std::string_view(input_).substr(start, end - start));
        start = end + 1;
        if (!message) return close(message.error().message);
        if (*message && on_message_) {
            // Copied: the handler may replace itself when the hello is answered.
            const auto handler = on_message_;
            handler(std::move(**message));
        }
        if (is_closed_) return;
    }
    input_.erase(0, start);
    if (input_.size() > wire::kWireLineBytesMax) close("a line was too long");
}

void SocketChannel::send(const wire::FromDaemon& message) {
    if (is_closed_) return;
    output_.push_back(wire::encode(message) + "\n");
    output_bytes_ += output_.back().size();
    if (output_bytes_ > kOutputBytesMax) return close("the worker does not read");
    if (!is_writing_) write();
}

void SocketChannel::write() {
    is_writing_ = true;
    boost::asio::async_write(
        socket_, boost::asio::buffer(output_.front()),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
            self->is_writing_ = false;
            if (self->is_closed_) return;
            if (error) return self->close("the worker closed it");
            self->output_bytes_ -= self->output_.front().size();
            self->output_.pop_front();
            if (!self->output_.empty()) self->write();
        });
}

void SocketChannel::close(const std::string& why) {
    if (is_closed_) return;
    is_closed_ = true;
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_both, ignored);
    socket_.close(ignored);
    const auto closed = std::move(on_close_);
    on_close_ = nullptr;
    if (closed) closed(why);
}

std::int64_t SocketChannel::peer_pid() const {
    ucred peer{};
    socklen_t size = sizeof peer;
    auto& socket = const_cast<Socket&>(socket_);
    if (getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return 0;
    return peer.pid;
}

bool SocketChannel::is_peer_ours() const {
    ucred peer{};
    socklen_t size = sizeof peer;
    auto& socket = const_cast<Socket&>(socket_);
    return getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           peer.uid == geteuid();
}

}  // namespace

ControlListener::ControlListener(boost::asio::io_context& loop, OnHello on_hello)
    : loop_(loop), acceptor_(loop), pause_(loop), on_hello_(std::move(on_hello)) {}

ControlListener::~ControlListener() {
    *is_gone_ = true;
}

Result<std::unique_ptr<ControlListener>> ControlListener::open(boost::asio::io_context& loop,
                                                               const std::string& path, OnHello on_hello) {
    std::unique_ptr<ControlListener> listener(new ControlListener(loop, std::move(on_hello)));
    unlink(path.c_str());  // the lock on the data folder says that nobody else listens here
    boost::system::error_code error;
    const boost::asio::local::stream_protocol::endpoint endpoint(path);
    listener->acceptor_.open(endpoint.protocol(), error);
    if (!error) listener->acceptor_.bind(endpoint, error);
    crash_point("control.bound");
    if (!error) chmod(path.c_str(), 0600);
    if (!error) listener->acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
    if (error) {
        return Error{ErrorCode::kUnavailable, "control_socket",
                     "Cannot listen on " + path + " in the data folder: " + error.message() + ".",
                     "Use a data folder on a local disk that allows sockets.", ""};
    }
    listener->accept();
    crash_point("control.listening");
    return listener;
}

void ControlListener::accept() {
    acceptor_.async_accept(loop_,
                           [this, gone = is_gone_](const boost::system::error_code& error,
                                                   boost::asio::local::stream_protocol::socket socket) {
                               if (*gone || error == boost::asio::error::operation_aborted) return;
                               if (error) {
                                   // Out of descriptors: try again when some may be free, without spinning.
                                   pause_.expires_after(std::chrono::milliseconds(200));
                                   pause_.async_wait([this, gone](const boost::system::error_code& stopped) {
                                       if (!*gone && !stopped) accept();
                                   });
                                   return;
                               }
                               greet(std::move(socket));
                               accept();
                           });
}

void ControlListener::greet(boost::asio::local::stream_protocol::socket socket) {
    auto channel = std::make_shared<SocketChannel>(std::move(socket));
    if (strangers_ >= kStrangersMax || !channel->is_peer_ours()) return channel->close("not welcome");
    ++strangers_;
    auto deadline = std::make_shared<boost::asio::steady_timer>(loop_, kHelloDeadline);
    const std::weak_ptr<Channel> weak = channel;
    const auto leave = [this, gone = is_gone_, deadline, is_counted = std::make_shared<bool>(true)] {
        deadline->cancel();
        if (!*gone && *is_counted) --strangers_;
        *is_counted = false;
    };
    deadline->async_wait([weak](const boost::system::error_code& error) {
        if (auto late = weak.lock(); late && !error) late->close("no hello came");
    });
    channel->open(
        [this, gone = is_gone_, weak, leave](const wire::FromWorker& message) {
            auto known = weak.lock();
            if (!known || *gone) return;
            leave();
            const auto* hello = std::get_if<wire::Hello>(&message);
            if (hello == nullptr) return known->close("the first line was no hello");
            if (hello->protocol != wire::kProtocol) {
                known->send(
                    wire::Refuse{"This daemon speaks protocol " + std::to_string(wire::kProtocol) + "."});
                return;
            }
            on_hello_(known, *hello);
        },
        [leave](const std::string& why) {
            leave();
            spdlog::debug("control_connection_closed why=\"{}\"", why);
        });
}

}  // namespace nightshift::daemon
