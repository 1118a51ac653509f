#include <nlohmann/json.hpp>

#include "api/digest.h"
#include "api/field_reader.h"
#include "api/handlers/handlers.h"
#include "api/rfc3339.h"

namespace nightshift::api::handle {

// The role of the session is that of whoever minted the code.
void mint_code(Context& context, const RequestPtr& request, Respond respond) {
    const std::string code = context.credentials.mint_code(request->caller.role, context.commands.now());
    const std::string url = "http://127.0.0.1:" + std::to_string(context.port) + "/#code=" + code;
    respond(json_answer({{"code", code}, {"expires_in", kCodeLifetime.value / 1000}, {"url", url}}, 201));
}

void open_session(Context& context, const RequestPtr& request, Respond respond) {
    const auto body = body_object(*request);
    if (!body) return respond(error_answer(*request, body.error()));
    std::vector<Error> errors;
    FieldReader fields(*body, "", errors);
    const auto code = fields.text("code", 200);
    if (!code && errors.empty()) {
        fields.fail("code", "missing_field", "`code` is missing.",
                    "Run `nightshift open`, which brings a fresh one.");
    }
    fields.finish();
    if (!errors.empty()) return respond(error_answer(*request, errors));
    const UnixMs now = context.commands.now();
    const auto role = context.credentials.redeem_code(*code, now);
    if (!role) {
        context.credentials.count_failure(now);
        Problem problem;
        problem.status = 401;
        problem.code = "bad_code";
        problem.detail = "The code is unknown, was used before, or is older than 60 seconds.";
        problem.hint = "Run `nightshift open` again.";
        return respond(problem_answer(*request, problem));
    }
    const std::string token = random_hex(32);
    const db::StoredToken stored{sha256_hex(token), std::string(to_string(*role)), "browser",
                                 now + kSessionLifetime};
    const nlohmann::ordered_json answer = {
        {"token", token}, {"role", to_string(*role)}, {"expires_at", format_time(now + kSessionLifetime)}};
    context.commands.put_token(stored, [&context, request, respond, answer](Result<void> done) {
        if (!done) return respond(error_answer(*request, done.error()));
        if (auto read = context.reload_tokens(); !read) return respond(error_answer(*request, read.error()));
        respond(json_answer(answer, 201));
    });
}

// Signs out: forgets the token of this request. The three token files are not sessions and stay.
void close_session(Context& context, const RequestPtr& request, Respond respond) {
    const auto tokens = context.queries.tokens();
    if (!tokens) return respond(error_answer(*request, tokens.error()));
    for (const db::StoredToken& token : *tokens) {
        if (token.sha256 != request->caller.token_sha256 || !token.expires_at) continue;
        context.commands.delete_token(token.sha256, [&context, request, respond](Result<void> done) {
            if (!done) return respond(error_answer(*request, done.error()));
            static_cast<void>(context.reload_tokens());
            respond(no_content());
        });
        return;
    }
    respond(error_answer(
        *request, Error{ErrorCode::kConflict, "state_conflict", "This credential is no browser session.",
                        "Only sessions can be closed.", ""}));
}

}  // namespace nightshift::api::handle
