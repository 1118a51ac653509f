#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_types.h"

namespace nightshift::api {

struct Context;
using RequestPtr = std::shared_ptr<const Request>;
/// Answers through `respond`, once, at once or later, on the loop thread.
using Handler = void (*)(Context& context, const RequestPtr& request, Respond respond);

enum class BodyKind {
    kNone,    ///< a body is read (it has to be JSON) and not looked at
    kJson,    ///< application/json, at most 1 MiB
    kNdjson,  ///< application/x-ndjson, streamed into the response's sink
};

/// One row of the table in routes.cpp. Patterns: literal segments, "{id}" for one segment, "{name*}"
/// for one or more (slashes stay in the value).
struct Route {
    Method method = Method::kGet;
    std::string_view pattern;
    Role role = Role::kViewer;  ///< kNone = public
    BodyKind body = BodyKind::kNone;
    Handler handler = nullptr;
};

/// THE TABLE: every URL the daemon knows, in routes.cpp.
std::span<const Route> routes();

struct Match {
    const Route* route = nullptr;  ///< null: unknown path, or the path without this method
    NamedValues params;
    std::vector<Method> allowed;  ///< methods of the path; empty = unknown path
};

/// HEAD matches GET. Where two patterns fit, the first row wins.
Match match_route(std::span<const Route> table, Method method, const std::vector<std::string>& segments);

}  // namespace nightshift::api
