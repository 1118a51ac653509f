#include <limits>

#include <nlohmann/json.hpp>

#include "api/handlers/handlers.h"
#include "api/idempotency.h"
#include "api/job_codec.h"
#include "api/strict_json.h"

namespace nightshift::api::handle {
namespace {

/// A job that would exist if the spec were stored now: last in its class, its dependencies looked up.
Result<Job> hypothetical(Context& context, JobSpec spec) {
    Job job;
    job.created_at = context.commands.now();
    job.held = spec.hold;
    job.retries_left = spec.retries;
    job.order_key = std::numeric_limits<std::int64_t>::max();
    job.version = 0;
    for (const Dependency& on : spec.after) {
        auto parent = context.queries.job(on.on);
        if (!parent) return parent.error();
        if (!*parent || !is_terminal((*parent)->state)) {
            ++job.dependencies_open;
            continue;
        }
        const bool is_success = (*parent)->state == JobState::kSucceeded;
        const bool is_met =
            on.kind == DependencyKind::kAny || is_success == (on.kind == DependencyKind::kSuccess);
        if (!is_met) job.dependency_impossible = true;
        if (!is_met) ++job.dependencies_open;
    }
    job.spec = std::move(spec);
    return job;
}

Response dry_run(Context& context, const Request& request, JobSpec spec) {
    auto job = hypothetical(context, std::move(spec));
    if (!job) return error_answer(request, job.error());
    auto why = why_of(context, *job);
    if (!why) return error_answer(request, why.error());
    WaitReasons reasons(context);
    auto object = job_object(context, *job, reasons);
    object["why"] = std::move(*why);
    return json_answer(object);
}

Response created(Context& context, const Job& job, bool is_replayed) {
    WaitReasons reasons(context);
    Response response = json_answer(job_object(context, job, reasons), 201);
    response.headers.emplace_back("Location", "/api/v1/jobs/" + std::to_string(job.id.value));
    response.headers.emplace_back("ETag", etag_of(job.version));
    mark_replayed(response, is_replayed);
    return response;
}

Response stored(Context& context, const Request& request, const SubmitReply& reply) {
    if (reply.job) return created(context, *reply.job, reply.is_replayed);
    const auto job = context.queries.job(reply.id);
    if (!job) return error_answer(request, job.error());
    if (!*job)
        return error_answer(request,
                            Error{ErrorCode::kInternal, "internal", "The stored job is not found.", "", ""});
    return created(context, **job, reply.is_replayed);
}

}  // namespace

SubmitDefaults submit_defaults(Context& context) {
    SubmitDefaults defaults;
    defaults.kinds = &context.commands.kinds();
    defaults.policy = &context.commands.policy();
    defaults.zones = &context.commands.zones();
    defaults.devices = context.commands.devices();
    defaults.now = context.commands.now();
    defaults.stats = context.commands.run_stats();
    defaults.job_exists = [&context](JobId id) {
        const auto job = context.queries.job(id);
        return job && job->has_value();
    };
    return defaults;
}

void submit(Context& context, const RequestPtr& request, Respond respond) {
    if (auto known = check_query(*request, {"dry_run"}); !known)
        return respond(error_answer(*request, known.error()));
    const bool is_dry = query_flag(*request, "dry_run");
    auto key = idempotency_key(*request, "submit");
    if (!key) return respond(error_answer(*request, key.error()));
    if (!is_dry) {
        const auto known = find_created(context.queries, *key);
        if (!known) return respond(error_answer(*request, known.error()));
        if (*known) return respond(stored(context, *request, {(*known)->jobs.at(0), true, {}}));
    }
    std::vector<Error> errors;
    auto spec = parse_submit_text(request->body, submit_defaults(context), {}, &errors);
    if (!spec) return respond(error_answer(*request, errors));
    if (is_dry) return respond(dry_run(context, *request, std::move(*spec)));
    SubmitRequest order;
    order.spec = std::move(*spec);
    order.actor = request->caller.actor;
    order.key = std::move(*key);
    order.wants_job = true;
    context.commands.submit(std::move(order), [&context, request, respond](Result<SubmitReply> reply) {
        if (!reply) return respond(error_answer(*request, reply.error()));
        respond(stored(context, *request, *reply));
    });
}

}  // namespace nightshift::api::handle
