#include "api/batch_run.h"
#include "api/handlers/handlers.h"

namespace nightshift::api::handle {

// The gate lets only NDJSON bodies through to here; a request without a body has no lines.
void batch(Context& context, const RequestPtr& request, Respond respond) {
    const std::string* key = request->head.find("idempotency-key");
    if (key != nullptr && (key->empty() || key->size() > 200)) {
        return respond(
            error_answer(*request, Error{ErrorCode::kInvalidArgument, "bad_idempotency_key",
                                         "The Idempotency-Key of a batch has to be 1 to 200 characters.",
                                         "Use a UUID or a name.", ""}));
    }
    Response response;
    response.content_type = "application/x-ndjson";
    if (!request->head.has_body()) return respond(std::move(response));
    auto run =
        std::make_shared<BatchRun>(context, request, submit_defaults(context), key != nullptr ? *key : "");
    response.sink = run;
    response.stream = run;
    respond(std::move(response));
}

}  // namespace nightshift::api::handle
