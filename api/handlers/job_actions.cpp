#include <nlohmann/json.hpp>

#include "api/field_reader.h"
#include "api/handlers/handlers.h"
#include "api/idempotency.h"
#include "api/job_codec.h"

namespace nightshift::api::handle {
namespace {

/// What a person may do with a job in this state.
nlohmann::json allowed_actions(const Job& job) {
    nlohmann::json out = nlohmann::json::array();
    if (!is_terminal(job.state)) out.push_back("cancel");
    if (job.state == JobState::kWaiting) {
        out.push_back(job.held ? "release" : "hold");
        out.push_back("move");
        out.push_back("patch");
    }
    if (job.state == JobState::kRunning && job.spec.preemptible) out.push_back("preempt");
    if (is_terminal(job.state)) {
        out.push_back("retry");
        out.push_back("delete");
    }
    return out;
}

/// A refusal of the state machine says in which state the job is and what can be done.
Response refusal(Context& context, const Request& request, const Error& error) {
    Problem problem = problem_of(error);
    if (const auto job = job_of(context, request); problem.status == 409 && job) {
        const nlohmann::json extra = {{"current_state", to_string(job->state)},
                                      {"allowed_actions", allowed_actions(*job)}};
        problem.extra_json = extra.dump();
    }
    return problem_answer(request, problem);
}

Response job_answer(Context& context, const Request& request, JobId id, int status) {
    const auto job = context.queries.job(id);
    if (!job) return error_answer(request, job.error());
    if (!*job) return error_answer(request, job_of(context, request).error());
    WaitReasons reasons(context);
    Response response = json_answer(job_object(context, **job, reasons), status);
    response.headers.emplace_back("ETag", etag_of((*job)->version));
    return response;
}

void act(Context& context, const RequestPtr& request, const Respond& respond, JobAction action) {
    const auto job = job_of(context, *request);
    if (!job) return respond(error_answer(*request, job.error()));
    context.commands.act(
        job->id, action, request->caller.actor,
        [&context, request, respond, id = job->id](Result<void> done) {
            respond(done ? job_answer(context, *request, id, 200) : refusal(context, *request, done.error()));
        });
}

Result<MoveRequest> read_move(const Request& request) {
    const auto body = body_object(request);
    if (!body) return body.error();
    std::vector<Error> errors;
    FieldReader fields(*body, "", errors);
    const auto before = fields.integer("before", 1, INT64_MAX);
    const auto after = fields.integer("after", 1, INT64_MAX);
    const auto to = fields.text("to", 20);
    fields.finish();
    const int given = (before ? 1 : 0) + (after ? 1 : 0) + (to ? 1 : 0);
    if (errors.empty() && (given != 1 || (to && *to != "front" && *to != "back"))) {
        errors.push_back(
            {ErrorCode::kInvalidArgument, "bad_move", "The body has to name exactly one place.",
             "Write {\"before\": ID}, {\"after\": ID}, {\"to\": \"front\"} or {\"to\": \"back\"}.", ""});
    }
    if (!errors.empty()) return errors.front();
    MoveRequest move;
    move.actor = request.caller.actor;
    if (before)
        move = {MoveRequest::Place::kBefore, JobId{*before}, move.actor};
    else if (after)
        move = {MoveRequest::Place::kAfter, JobId{*after}, move.actor};
    else
        move.place = *to == "front" ? MoveRequest::Place::kTop : MoveRequest::Place::kBottom;
    return move;
}

}  // namespace

void cancel(Context& context, const RequestPtr& request, Respond respond) {
    act(context, request, respond, JobAction::kCancel);
}
void hold(Context& context, const RequestPtr& request, Respond respond) {
    act(context, request, respond, JobAction::kHold);
}
void release(Context& context, const RequestPtr& request, Respond respond) {
    act(context, request, respond, JobAction::kRelease);
}
void preempt(Context& context, const RequestPtr& request, Respond respond) {
    act(context, request, respond, JobAction::kPreempt);
}

void retry(Context& context, const RequestPtr& request, Respond respond) {
    if (auto known = check_query(*request, {"dependents"}); !known)
        return respond(error_answer(*request, known.error()));
    auto key = idempotency_key(*request, "retry");
    if (!key) return respond(error_answer(*request, key.error()));
    const auto answer = [&context, request, respond](Result<Created> made) {
        if (!made) return respond(refusal(context, *request, made.error()));
        const JobId id = made->jobs.at(0);
        Response response = job_answer(context, *request, id, 201);
        response.headers.emplace_back("Location", "/api/v1/jobs/" + std::to_string(id.value));
        mark_replayed(response, made->is_replayed);
        respond(std::move(response));
    };
    const auto known = find_created(context.queries, *key);
    if (!known) return answer(known.error());
    if (*known) return answer(**known);
    const auto job = job_of(context, *request);
    if (!job) return respond(error_answer(*request, job.error()));
    context.commands.retry(job->id, query_flag(*request, "dependents"), request->caller.actor,
                           std::move(*key), answer);
}

void move(Context& context, const RequestPtr& request, Respond respond) {
    const auto job = job_of(context, *request);
    if (!job) return respond(error_answer(*request, job.error()));
    auto place = read_move(*request);
    if (!place) return respond(error_answer(*request, place.error()));
    context.commands.move(
        job->id, std::move(*place), [&context, request, respond, id = job->id](Result<void> done) {
            respond(done ? job_answer(context, *request, id, 200) : refusal(context, *request, done.error()));
        });
}

}  // namespace nightshift::api::handle
