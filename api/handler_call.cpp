#include "api/handler_call.h"

#include <exception>
#include <memory>
#include <utility>

#include "api/problem.h"

namespace nightshift::api {
namespace {

/// A damaged database is only read: said before a request is looked at, since its kinds are not known then.
bool is_refused_in_rescue(const Route& route, const ServerOptions& options) {
    const bool is_change = route.method != Method::kGet && route.role >= Role::kOperator;
    const bool is_needed = route.pattern == "/api/v1/shutdown" || route.pattern == "/api/v1/session/code";
    return options.storage_state == "rescue" && is_change && !is_needed;
}

}  // namespace

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

}  // namespace nightshift::api
