#include "api/digest.h"
#include "api/handlers/handlers.h"

namespace nightshift::api::handle {
namespace {

Response word(int status, std::string text) {
    Response response;
    response.status = status;
    response.content_type = "text/plain; charset=utf-8";
    response.body = std::move(text) + "\n";
    return response;
}

}  // namespace

// With ?challenge=NONCE the body has one more line for each token file: proofs that this daemon knows
// the caller's token (see proof_of), before the caller sends it.
void livez(Context& context, const RequestPtr& request, Respond respond) {
    Response response = word(200, "ok");
    if (const std::string* nonce = request->query_value("challenge")) {
        if (!is_nonce(*nonce)) {
            return respond(error_answer(
                *request, Error{ErrorCode::kInvalidArgument, "bad_query",
                                "`challenge` has to be 16 to 128 letters, digits, \"-\" or \"_\".",
                                "Send a fresh random one.", ""}));
        }
        for (const std::string& proof : context.credentials.proofs(context.port, *nonce))
            response.body += proof + "\n";
    }
    respond(std::move(response));
}

void readyz(Context& context, const RequestPtr&, Respond respond) {
    const ServerStatus status = context.commands.status();
    if (status.is_ready) return respond(word(200, "ready"));
    Response response = word(503, "not ready: " + status.not_ready_reason);
    response.headers.emplace_back("Retry-After", "1");
    respond(std::move(response));
}

}  // namespace nightshift::api::handle
