#include "api/http_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/connection.h"
#include "api/digest.h"
#include "api/peer_credentials.h"
#include "api/server_core.h"

namespace nightshift::api {

namespace asio = boost::asio;
using asio::ip::tcp;
using LocalProtocol = asio::local::stream_protocol;

namespace {

constexpr Millis kAcceptPause{100};  ///< after "too many open files", so that the loop does not spin
constexpr int kPortTries = 20;

Error listen_error(const std::string& where, const boost::system::error_code& code) {
    if (code == asio::error::address_in_use || code == asio::error::access_denied) {
        return {ErrorCode::kConflict, "address_in_use",
                "The address " + where + " cannot be used: " + code.message() + ".",
                "Another program has it, perhaps another nightshiftd; stop that one or choose another port "
                "with --listen 127.0.0.1:PORT.",
                ""};
    }
    return {ErrorCode::kUnavailable, "listen_failed",
            "Cannot listen on " + where + ": " + code.message() + ".", "Check the address.", ""};
}

boost::system::error_code open_acceptor(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
    boost::system::error_code code;
    acceptor.open(endpoint.protocol(), code);
    if (code) return code;
    acceptor.set_option(asio::socket_base::reuse_address(true), code);
    if (endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), code);
    acceptor.bind(endpoint, code);
    if (!code) acceptor.listen(asio::socket_base::max_listen_connections, code);
    if (code) {
        boost::system::error_code ignored;
        acceptor.close(ignored);
    }
    return code;
}

void accept_one(const std::shared_ptr<ServerCore>& core, Socket socket, Peer peer) {
    auto connection = std::make_shared<Connection>(core, std::move(socket), peer);
    if (core->counters.connections >= core->options.limits.connections_max) {
        ++core->counters.rejected["too_many_connections"];
        connection->start_refused();
        return;
    }
    core->connections.remove_if([](const std::weak_ptr<Connection>& known) { return known.expired(); });
    core->connections.push_back(connection);
    connection->start();
}

template <typename Acceptor>
asio::awaitable<void> accept_loop(std::shared_ptr<ServerCore> core, std::shared_ptr<Acceptor> acceptor) {
    while (acceptor->is_open()) {
        auto [code, socket] = co_await acceptor->async_accept(asio::as_tuple(asio::use_awaitable));
        if (code == asio::error::operation_aborted || core->is_stopping) break;
        if (code) {
            asio::steady_timer timer(core->loop);
            timer.expires_after(std::chrono::milliseconds(kAcceptPause.value));
            co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
            continue;
        }
        Peer peer;
        if constexpr (std::is_same_v<Acceptor, LocalProtocol::acceptor>) {
            peer = Peer{true, role_of_peer(socket.native_handle())};
        } else {
            boost::system::error_code ignored;
            socket.set_option(tcp::no_delay(true), ignored);
        }
        accept_one(core, Socket(std::move(socket)), peer);
    }
}

template <typename Acceptor>
void spawn_accept(const std::shared_ptr<ServerCore>& core, const std::shared_ptr<Acceptor>& acceptor) {
    asio::co_spawn(core->loop, accept_loop(core, acceptor), asio::detached);
}

}  // namespace

Status Context::reload_tokens() {
    auto tokens = queries.tokens();
    if (!tokens) return tokens.error();
    credentials.set_tokens(std::move(*tokens));
    return {};
}

ServerCore::ServerCore(asio::io_context& io, const ServerOptions& server_options, Commands& commands,
                       db::Queries& queries)
    : loop(io),
      options(server_options),
      hub(std::make_unique<EventHub>(commands)),
      context{commands, queries, credentials, *hub, counters, *this, options, 0},
      request_prefix(random_hex(4) + "-") {}

std::shared_ptr<void> ServerCore::after(Millis delay, std::function<void()> action) {
    auto timer = std::make_shared<asio::steady_timer>(loop);
    timer->expires_after(std::chrono::milliseconds(delay.value));
    std::weak_ptr<asio::steady_timer> weak = timer;
    timer->async_wait([weak, action = std::move(action)](const boost::system::error_code& code) {
        // The handle keeps the timer alive: without it the action was cancelled, even if already due.
        if (!code && !weak.expired()) action();
    });
    return timer;
}

struct HttpServer::Impl {
    std::shared_ptr<ServerCore> core;
    std::shared_ptr<tcp::acceptor> v4, v6;
    std::shared_ptr<LocalProtocol::acceptor> local;

    Status listen_tcp() {
        boost::system::error_code code;
        const auto address = asio::ip::make_address(core->options.address, code);
        if (code || !address.is_loopback()) {
            return Error{ErrorCode::kUnsupported, "address_not_loopback",
                         "`" + core->options.address + "` is no loopback address.",
                         "Listen on 127.0.0.1; reach the daemon from other machines through ssh -L.", ""};
        }
        for (int round = 0; round < kPortTries; ++round) {
            v4 = std::make_shared<tcp::acceptor>(core->loop);
            v6 = std::make_shared<tcp::acceptor>(core->loop);
            const std::string where = core->options.address + ":" + std::to_string(core->options.port);
            if ((code = open_acceptor(*v4, tcp::endpoint(address, core->options.port))))
                return listen_error(where, code);
            core->context.port = v4->local_endpoint().port();
            if (address.is_v6()) return {};
            // Browsers may take "localhost" for ::1: nobody else may sit there. A machine without IPv6 is
            // fine.
            code = open_acceptor(*v6, tcp::endpoint(asio::ip::address_v6::loopback(), core->context.port));
            if (!code || code != asio::error::address_in_use) return {};
            if (core->options.port != 0)
                return listen_error("[::1]:" + std::to_string(core->options.port), code);
        }
        return listen_error("a free port", code);
    }

    Status listen_local() {
        const std::string& path = core->options.socket_path;
        if (path.empty()) return {};
        if (auto prepared = prepare_socket_path(path); !prepared) return prepared.error();
        boost::system::error_code code;
        local = std::make_shared<LocalProtocol::acceptor>(core->loop);
        local->open(LocalProtocol(), code);
        {
            const PrivateUmask umask_guard;
            if (!code) local->bind(LocalProtocol::endpoint(path), code);
        }
        if (!code) local->listen(asio::socket_base::max_listen_connections, code);
        if (code) return listen_error(path, code);
        return {};
    }
};

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<HttpServer>> HttpServer::start(asio::io_context& loop, const ServerOptions& options,
                                                      Commands& commands, db::Queries& queries) {
    auto impl = std::make_shared<Impl>();
    impl->core = std::make_shared<ServerCore>(loop, options, commands, queries);
    NIGHTSHIFT_TRY(impl->core->context.reload_tokens());
    NIGHTSHIFT_TRY(impl->listen_tcp());
    NIGHTSHIFT_TRY(impl->listen_local());
    spawn_accept(impl->core, impl->v4);
    if (impl->v6->is_open()) spawn_accept(impl->core, impl->v6);
    if (impl->local) spawn_accept(impl->core, impl->local);
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::~HttpServer() {
    stop();
    for (const auto& weak : impl_->core->connections) {
        if (const auto connection = weak.lock()) connection->abort();
    }
    impl_->core->hub.reset();
}

std::uint16_t HttpServer::port() const {
    return impl_->core->context.port;
}
std::int64_t HttpServer::connections() const {
    return impl_->core->counters.connections;
}
std::int64_t HttpServer::rejected() const {
    return impl_->core->counters.rejected_total;
}

void HttpServer::stop() {
    impl_->core->is_stopping = true;
    boost::system::error_code ignored;
    impl_->v4->close(ignored);
    impl_->v6->close(ignored);
    if (impl_->local && impl_->local->is_open()) {
        impl_->local->close(ignored);
        remove_socket(impl_->core->options.socket_path);
    }
    for (const auto& weak : impl_->core->connections) {
        if (const auto connection = weak.lock()) connection->stop();
    }
}

void HttpServer::reload_credentials() {
    static_cast<void>(impl_->core->context.reload_tokens());
}

}  // namespace nightshift::api
