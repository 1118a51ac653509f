#pragma once

#include "api/context.h"
#include "api/router.h"

namespace nightshift::api {

/// Calls a route's handler so that it answers exactly once, also when it throws. A change that a damaged
/// database forbids is refused here, before its body is looked at.
void call_handler(const Route& route, Context& context, const RequestPtr& request, Respond respond);

}  // namespace nightshift::api
