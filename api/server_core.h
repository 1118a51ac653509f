#pragma once

#include <list>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "api/context.h"

namespace nightshift::api {

class Connection;

/// What the listeners and the connections of one server share. Thread: the loop.
struct ServerCore : Timers, std::enable_shared_from_this<ServerCore> {
    ServerCore(boost::asio::io_context& io, const ServerOptions& server_options, Commands& commands,
               db::Queries& queries);

    std::shared_ptr<void> after(Millis delay, std::function<void()> action) override;

    boost::asio::io_context& loop;
    ServerOptions options;
    Credentials credentials;
    HttpCounters counters;
    std::unique_ptr<EventHub> hub;  ///< gone once the server is: nothing waits for the daemon any more
    Context context;
    std::list<std::weak_ptr<Connection>> connections;
    bool is_stopping = false;
    std::int64_t next_request = 1;
    std::string request_prefix;  ///< random, so that ids of two starts differ
};

}  // namespace nightshift::api
