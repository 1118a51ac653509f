#include <cstdio>

#include <nlohmann/json.hpp>

#include "api/handlers/handlers.h"
#include "api/idempotency.h"
#include "api/rfc3339.h"
#include "api/schedule_codec.h"
#include "api/strict_json.h"

namespace nightshift::api::handle {
namespace {

using nlohmann::ordered_json;

Result<Schedule> schedule_of(Context& context, const Request& request) {
    const std::string& name = request.param("name");
    auto found = context.queries.schedule(name);
    if (!found) return found.error();
    if (*found) return std::move(**found);
    return Error{ErrorCode::kNotFound, "no_such_schedule",
                 "There is no schedule " + name.substr(0, 100) + ".", "GET /api/v1/schedules lists them.",
                 ""};
}

Response schedule_answer(Context& context, const Request& request, const std::string& name, int status) {
    const auto found = context.queries.schedule(name);
    if (!found) return error_answer(request, found.error());
    if (!*found) return error_answer(request, schedule_of(context, request).error());
    Response response = json_answer(ordered_json(schedule_object(**found)), status);
    response.headers.emplace_back("ETag", etag_of((*found)->version));
    return response;
}

/// Optional here: a change of a schedule may name the version it was made from.
Status check_version(const Request& request, int version) {
    if (request.head.find("if-match") == nullptr) return {};
    const auto wanted = if_match(request);
    if (!wanted) return wanted.error();
    if (!*wanted || **wanted == version) return {};
    return Error{ErrorCode::kConflict, "stale_etag", "The schedule has changed since it was read.",
                 "Read it again and repeat the change.", ""};
}

std::string local_text(const LocalTime& local) {
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", local.year, local.month, local.day,
                  local.minute / 60, local.minute % 60, local.second);
    return text;
}

void enable(Context& context, const RequestPtr& request, const Respond& respond, bool enabled) {
    const auto schedule = schedule_of(context, *request);
    if (!schedule) return respond(error_answer(*request, schedule.error()));
    context.commands.enable_schedule(schedule->name, enabled, request->caller.actor,
                                     [&context, request, respond, name = schedule->name](Result<void> done) {
                                         respond(done ? schedule_answer(context, *request, name, 200)
                                                      : error_answer(*request, done.error()));
                                     });
}

}  // namespace

void list_schedules(Context& context, const RequestPtr& request, Respond respond) {
    const auto found = context.queries.schedules();
    if (!found) return respond(error_answer(*request, found.error()));
    ordered_json body;
    body["schedules"] = ordered_json::array();
    for (const Schedule& schedule : *found)
        body["schedules"].push_back(ordered_json(schedule_object(schedule)));
    respond(json_answer(body));
}

void get_schedule(Context& context, const RequestPtr& request, Respond respond) {
    respond(schedule_answer(context, *request, request->param("name"), 200));
}

void create_schedule(Context& context, const RequestPtr& request, Respond respond) {
    auto key = idempotency_key(*request, "schedule");
    if (!key) return respond(error_answer(*request, key.error()));
    const auto known = find_created(context.queries, *key);
    if (!known) return respond(error_answer(*request, known.error()));
    auto schedule = parse_schedule_text(request->body, submit_defaults(context));
    if (!schedule) return respond(error_answer(*request, schedule.error()));
    const auto answer = [&context, request, respond, name = schedule->name](Result<Created> made) {
        if (!made) return respond(error_answer(*request, made.error()));
        Response response = schedule_answer(context, *request, name, 201);
        response.headers.emplace_back("Location", "/api/v1/schedules/" + name);
        mark_replayed(response, made->is_replayed);
        respond(std::move(response));
    };
    if (*known) return answer(**known);
    context.commands.put_schedule(std::move(*schedule), true, request->caller.actor, std::move(*key), answer);
}

void put_schedule(Context& context, const RequestPtr& request, Respond respond) {
    auto document = body_object(*request);
    if (!document) return respond(error_answer(*request, document.error()));
    const std::string name = request->param("name");
    if (!document->contains("name")) (*document)["name"] = name;
    auto schedule = parse_schedule(*document, submit_defaults(context));
    if (!schedule) return respond(error_answer(*request, schedule.error()));
    if (schedule->name != name) {
        return respond(
            error_answer(*request, Error{ErrorCode::kInvalidArgument, "bad_name",
                                         "The `name` in the body is not the one in the address.",
                                         "A schedule keeps its name; make a new one instead.", "/name"}));
    }
    const auto before = context.queries.schedule(name);
    if (!before) return respond(error_answer(*request, before.error()));
    const bool is_new = !before->has_value();
    if (!is_new) {
        if (auto checked = check_version(*request, (*before)->version); !checked) {
            return respond(error_answer(*request, checked.error()));
        }
    }
    context.commands.put_schedule(
        std::move(*schedule), is_new, request->caller.actor, {},
        [&context, request, respond, name, is_new](Result<Created> done) {
            respond(done ? schedule_answer(context, *request, name, is_new ? 201 : 200)
                         : error_answer(*request, done.error()));
        });
}

void delete_schedule(Context& context, const RequestPtr& request, Respond respond) {
    const auto schedule = schedule_of(context, *request);
    if (!schedule) return respond(error_answer(*request, schedule.error()));
    context.commands.delete_schedule(schedule->name, request->caller.actor,
                                     [request, respond](Result<void> done) {
                                         respond(done ? no_content() : error_answer(*request, done.error()));
                                     });
}

void run_schedule(Context& context, const RequestPtr& request, Respond respond) {
    auto key = idempotency_key(*request, "schedule_run");
    if (!key) return respond(error_answer(*request, key.error()));
    const auto answer = [request, respond](Result<Created> made) {
        if (!made) return respond(error_answer(*request, made.error()));
        ordered_json body;
        body["jobs"] = ordered_json::array();
        for (const JobId id : made->jobs) body["jobs"].push_back(id.value);
        Response response = json_answer(body, 201);
        mark_replayed(response, made->is_replayed);
        respond(std::move(response));
    };
    const auto known = find_created(context.queries, *key);
    if (!known) return answer(known.error());
    if (*known) return answer(**known);
    const auto schedule = schedule_of(context, *request);
    if (!schedule) return respond(error_answer(*request, schedule.error()));
    context.commands.run_schedule(schedule->name, request->caller.actor, std::move(*key), answer);
}

void pause_schedule(Context& context, const RequestPtr& request, Respond respond) {
    enable(context, request, respond, false);
}
void resume_schedule(Context& context, const RequestPtr& request, Respond respond) {
    enable(context, request, respond, true);
}

void next_fires(Context& context, const RequestPtr& request, Respond respond) {
    const auto schedule = schedule_of(context, *request);
    if (!schedule) return respond(error_answer(*request, schedule.error()));
    const auto count = query_integer(*request, "count", 10, 1, 1000);
    if (!count) return respond(error_answer(*request, count.error()));
    ordered_json body;
    body["next"] = ordered_json::array();
    UnixMs after = context.commands.now();
    for (std::int64_t i = 0; i < *count; ++i) {
        const auto fire = next_fire(schedule->cron, schedule->timezone, context.commands.zones(), after);
        if (!fire) break;
        ordered_json row;
        row["utc"] = format_time(fire->at);
        row["local"] = local_text(context.commands.zones().to_local(schedule->timezone, fire->at));
        row["note"] = fire->note;
        body["next"].push_back(std::move(row));
        after = fire->at;
    }
    respond(json_answer(body));
}

}  // namespace nightshift::api::handle
