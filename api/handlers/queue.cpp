#include <nlohmann/json.hpp>

#include "api/field_reader.h"
#include "api/handlers/handlers.h"
#include "api/rfc3339.h"

namespace nightshift::api::handle {
namespace {

void answer(Context& context, const RequestPtr& request, const Respond& respond, PauseRequest order) {
    order.actor = request->caller.actor;
    nlohmann::ordered_json body;
    body["paused"] = order.paused;
    body["reason"] = order.reason;
    body["until"] =
        order.until ? nlohmann::ordered_json(format_time(*order.until)) : nlohmann::ordered_json(nullptr);
    context.commands.pause(std::move(order), [request, respond, body](Result<void> done) {
        respond(done ? json_answer(body) : error_answer(*request, done.error()));
    });
}

}  // namespace

// {"reason": "...", "until": "06:00"}: nothing new starts; what runs goes on.
void pause_queue(Context& context, const RequestPtr& request, Respond respond) {
    const auto body = body_object(*request);
    if (!body) return respond(error_answer(*request, body.error()));
    std::vector<Error> errors;
    FieldReader fields(*body, "", errors);
    PauseRequest order;
    order.reason = fields.text("reason", 500).value_or("");
    if (const auto until = fields.text("until", 64)) {
        order.until = parse_time(*until);
        if (!order.until)
            order.until = next_clock_time(*until, context.commands.zones(), context.commands.now());
        if (!order.until || *order.until <= context.commands.now()) {
            fields.fail("until", "bad_time", "`until` is no time to come.",
                        "Write \"06:00\" or \"2026-11-21T06:00:00+09:00\".");
        }
    }
    fields.finish();
    if (!errors.empty()) return respond(error_answer(*request, errors));
    answer(context, request, respond, std::move(order));
}

void resume_queue(Context& context, const RequestPtr& request, Respond respond) {
    PauseRequest order;
    order.paused = false;
    answer(context, request, respond, std::move(order));
}

// {"yield_jobs": true}: `nightshift down`. The answer comes before the daemon ends.
void shut_down(Context& context, const RequestPtr& request, Respond respond) {
    const auto body = body_object(*request);
    if (!body) return respond(error_answer(*request, body.error()));
    std::vector<Error> errors;
    FieldReader fields(*body, "", errors);
    const bool yield_jobs = fields.boolean("yield_jobs").value_or(true);
    fields.finish();
    if (!errors.empty()) return respond(error_answer(*request, errors));
    context.commands.shut_down(
        yield_jobs, request->caller.actor, [request, respond, yield_jobs](Result<void> done) {
            respond(done ? json_answer({{"stopping", true}, {"yield_jobs", yield_jobs}}, 202)
                         : error_answer(*request, done.error()));
        });
}

}  // namespace nightshift::api::handle
