#include "tests/api/test_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

#include <nlohmann/json.hpp>

namespace nightshift::tests {
namespace {

constexpr int kPatienceSeconds = 20;  ///< a hang fails the test instead of blocking the run

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

}  // namespace

std::string Answer::field(std::string_view name) const {
    const std::string all = lower(head);
    const std::size_t at = all.find("\r\n" + std::string(name) + ":");
    if (at == std::string::npos) return {};
    const std::size_t start = at + 2 + name.size() + 1;
    std::string value = head.substr(start, head.find("\r\n", start) - start);
    return value.substr(value.find_first_not_of(' ') == std::string::npos ? 0 : value.find_first_not_of(' '));
}

nlohmann::json Answer::json() const {
    return nlohmann::json::parse(body);
}

bool Answer::has_code(std::string_view code) const {
    return body.find("\"code\":\"" + std::string(code) + "\"") != std::string::npos;
}

RawClient::RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    timeval patience{kPatienceSeconds, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error("cannot connect to the test server");
    }
}

RawClient::~RawClient() {
    ::close(socket_);
}

void RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;  // the server may close in the middle: the answer tells
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void RawClient::close_sending() {
    ::shutdown(socket_, SHUT_WR);
}

bool RawClient::fill() {
    char piece[16 * 1024];
    const ssize_t got = ::recv(socket_, piece, sizeof piece, 0);
    if (got <= 0) return false;
    buffer_.append(piece, static_cast<std::size_t>(got));
    return true;
}

bool RawClient::is_closed_by_server() {
    return buffer_.empty() && !fill();
}

std::string RawClient::read_until(std::string_view text) {
    while (buffer_.find(text) == std::string::npos) {
        if (!fill()) break;
    }
    return buffer_;
}

Answer RawClient::read_answer(bool is_head) {
    Answer answer;
    std::size_t head_end = 0;
    while ((head_end = buffer_.find("\r\n\r\n")) == std::string::npos) {
        if (!fill()) {
            answer.is_closed = true;
            return answer;
        }
    }
    answer.head = buffer_.substr(0, head_end + 2);
    buffer_.erase(0, head_end + 4);
    answer.status = std::stoi(answer.head.substr(9, 3));
    const auto take = [this](std::size_t count) {
        while (buffer_.size() < count && fill()) {
        }
        std::string out = buffer_.substr(0, count);
        buffer_.erase(0, count);
        return out;
    };
    const bool has_body = !is_head && answer.status != 204 && answer.status != 304;
    if (has_body && answer.field("transfer-encoding") == "chunked") {
        for (;;) {
            while (buffer_.find("\r\n") == std::string::npos) {
                if (!fill()) throw std::runtime_error("the stream was cut");
            }
            const std::size_t size = std::stoul(buffer_, nullptr, 16);
            buffer_.erase(0, buffer_.find("\r\n") + 2);
            answer.body += take(size);
            take(2);
            if (size == 0) break;
        }
    } else if (has_body && !answer.field("content-length").empty()) {
        answer.body = take(std::stoul(answer.field("content-length")));
    }
    answer.is_closed = answer.field("connection") == "close";
    return answer;
}

TestServer::TestServer(api::ConnectionLimits limits, std::string socket_path) {
    api::ServerOptions options;
    options.port = 0;
    options.limits = limits;
    options.socket_path = std::move(socket_path);
    auto started = api::HttpServer::start(loop_, options, daemon_, daemon_);
    if (!started) throw std::runtime_error(started.error().message);
    server_ = std::move(*started);
    thread_ = std::thread([this] { loop_.run(); });
}

TestServer::~TestServer() {
    on_loop([this] { server_.reset(); });
    work_.reset();
    loop_.stop();
    thread_.join();
}

std::string TestServer::request(std::string_view method, std::string_view target, std::string_view token,
                                std::string_view body, std::string_view more) const {
    std::string out = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\n";
    out += "Host: 127.0.0.1:" + std::to_string(port()) + "\r\n";
    if (!token.empty()) out += "Authorization: Bearer " + std::string(token) + "\r\n";
    if (!body.empty()) {
        const bool is_typed = lower(more).find("content-type:") != std::string::npos;
        if (!is_typed) out += "Content-Type: application/json\r\n";
        out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    }
    return out + std::string(more) + "\r\n" + std::string(body);
}

Answer TestServer::send(std::string_view method, std::string_view target, std::string_view token,
                        std::string_view body, std::string_view more) {
    return send_raw(request(method, target, token, body, more), method == "HEAD");
}

Answer TestServer::send_raw(std::string_view bytes, bool is_head) {
    RawClient client(port());
    client.send(bytes);
    return client.read_answer(is_head);
}

}  // namespace nightshift::tests
