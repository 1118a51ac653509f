#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "api/commands.h"
#include "db/queries.h"
#include "scheduler/result.h"

namespace boost::asio {
class io_context;
}

namespace nightshift::api {

/// Time and size limits of a connection; the defaults are the product's, tests shorten them.
struct ConnectionLimits {
    int connections_max = 1024;  ///< the next one is told 503 and closed
    int sse_clients_max = 128;
    Millis header_deadline = seconds(5);
    Millis body_deadline = seconds(10);  ///< plus one second for each 64 KiB
    Millis idle_deadline = seconds(30);  ///< between two requests of a connection
    Millis write_stall = seconds(20);    ///< no byte taken by the client
    Millis heartbeat = seconds(15);      ///< comment line on a quiet event stream
};

struct ServerOptions {
    std::string address = "127.0.0.1";  ///< a loopback address; anything else is refused
    std::uint16_t port = 7390;          ///< 0 picks a free one; ::1 gets the same port where it exists
    std::string socket_path;            ///< Unix socket beside TCP; empty = none
    std::string web_root;               ///< folder served instead of the built-in pages; empty = none
    /// Sent with every answer as Nightshift-Storage; empty = not sent. "rescue": nothing can be changed.
    std::string storage_state;
    ConnectionLimits limits;
};

/// The HTTP side of the daemon. Everything happens on the thread that runs `loop`; destroying the
/// server closes every connection. `commands` and `queries` must outlive it.
class HttpServer {
  public:
    /// Listens at once. Fails: conflict "address_in_use", unsupported "address_not_loopback",
    /// unavailable for anything else the system says.
    static Result<std::unique_ptr<HttpServer>> start(boost::asio::io_context& loop,
                                                     const ServerOptions& options, Commands& commands,
                                                     db::Queries& queries);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    std::uint16_t port() const;
    std::int64_t connections() const;  ///< open now
    std::int64_t rejected() const;     ///< requests the gate refused since the start
    /// Takes no more connections or requests and closes idle ones; running answers get their end.
    void stop();
    /// Credentials changed behind the server's back (first start, `token rotate`): read them again.
    void reload_credentials();

  private:
    struct Impl;
    explicit HttpServer(std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> impl_;
};

}  // namespace nightshift::api
