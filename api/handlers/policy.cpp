#include "api/policy_codec.h"

#include "api/handlers/handlers.h"

namespace nightshift::api::handle {
namespace {

Response policy_answer(Context& context) {
    Response response;
    response.body = policy_to_json(context.commands.policy()) + "\n";
    response.headers.emplace_back("ETag", etag_of(context.commands.policy_version()));
    return response;
}

}  // namespace

void get_policy(Context& context, const RequestPtr&, Respond respond) {
    respond(policy_answer(context));
}

// The whole document; what it leaves out gets its default. If-Match is optional here.
void put_policy(Context& context, const RequestPtr& request, Respond respond) {
    auto policy = parse_policy_text(request->body, context.commands.zones());
    if (!policy) return respond(error_answer(*request, policy.error()));
    if (request->head.find("if-match") != nullptr) {
        const auto version = if_match(*request);
        if (!version) return respond(error_answer(*request, version.error()));
        if (*version && **version != context.commands.policy_version()) {
            return respond(error_answer(*request, Error{ErrorCode::kConflict, "stale_etag",
                                                        "The policy has changed since it was read.",
                                                        "Read it again and repeat the change.", ""}));
        }
    }
    context.commands.put_policy(
        std::move(*policy), request->body, request->caller.actor,
        [&context, request, respond](Result<void> done) {
            respond(done ? policy_answer(context) : error_answer(*request, done.error()));
        });
}

}  // namespace nightshift::api::handle
