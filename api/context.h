#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "api/commands.h"
#include "api/credentials.h"
#include "api/event_hub.h"
#include "api/http_server.h"
#include "api/router.h"
#include "db/queries.h"

namespace nightshift::api {

/// One-shot timers of the loop. The handle's destruction cancels.
class Timers {
  public:
    virtual ~Timers() = default;
    virtual std::shared_ptr<void> after(Millis delay, std::function<void()> action) = 0;
};

/// What GET /metrics says about this server itself.
struct HttpCounters {
    std::map<std::tuple<std::string, std::string, int>, std::int64_t> requests;  ///< route, method, status
    std::map<std::string, std::int64_t> rejected;                                ///< by code of the refusal
    std::int64_t rejected_total = 0;
    std::int64_t events_dropped = 0;
    int connections = 0;
    int sse_clients = 0;
};

/// What every handler may use. Thread: the loop.
struct Context {
    Commands& commands;
    db::Queries& queries;
    Credentials& credentials;
    EventHub& hub;
    HttpCounters& counters;
    Timers& timers;
    const ServerOptions& options;
    std::uint16_t port = 0;

    /// Reads the stored tokens again.
    Status reload_tokens();
};

}  // namespace nightshift::api
