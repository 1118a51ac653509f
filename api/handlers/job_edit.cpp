#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/handlers/handlers.h"
#include "api/job_codec.h"

namespace nightshift::api::handle {
namespace {

using nlohmann::json;

Error not_waiting(const Job& job) {
    return {ErrorCode::kConflict, "state_conflict",
            "Job " + std::to_string(job.id.value) + " is " + std::string(to_string(job.state)) +
                ": only its `name` and `labels` can still be changed.",
            "Submit a new job, or use POST .../retry.", ""};
}

/// The spec after the merge patch. Only name and labels once the job has started.
Result<JobSpec> patched(Context& context, const Job& job, const json& patch, std::vector<Error>& errors) {
    const bool is_waiting = job.state == JobState::kWaiting;
    for (const auto& [name, value] : patch.items()) {
        if (!is_waiting && name != "name" && name != "labels") return not_waiting(job);
    }
    json merged = submit_of(job.spec);
    merged["hold"] = job.held;
    merged.merge_patch(patch);
    SubmitDefaults defaults = submit_defaults(context);
    // What is stored already was checked when it came; a dataset may have moved since.
    defaults.check_paths = patch.contains("params") || patch.contains("cwd");
    auto spec = parse_submit(merged, defaults, {}, &errors);
    if (!spec) return spec.error();
    if (is_waiting) {
        for (const Dependency& on : spec->after) {
            if (on.on != job.id) continue;
            errors = {{ErrorCode::kInvalidArgument, "circular_dependency", "The job would wait for itself.",
                       "Take its own id out of `after`.", "/after"}};
            return errors.front();
        }
        return spec;
    }
    JobSpec renamed = job.spec;
    renamed.name = spec->name;
    renamed.labels = spec->labels;
    return renamed;
}

void answer_with_job(Context& context, const RequestPtr& request, const Respond& respond) {
    auto job = job_of(context, *request);
    if (!job) return respond(error_answer(*request, job.error()));
    WaitReasons reasons(context);
    Response response = json_answer(job_object(context, *job, reasons));
    response.headers.emplace_back("ETag", etag_of(job->version));
    respond(std::move(response));
}

}  // namespace

void patch_job(Context& context, const RequestPtr& request, Respond respond) {
    auto job = job_of(context, *request);
    if (!job) return respond(error_answer(*request, job.error()));
    const auto version = if_match(*request);
    if (!version) return respond(error_answer(*request, version.error()));
    if (*version && **version != job->version) {
        return respond(error_answer(*request, Error{ErrorCode::kConflict, "stale_etag",
                                                    "The job has changed since it was read (now version " +
                                                        std::to_string(job->version) + ").",
                                                    "Read it again and repeat the change.", ""}));
    }
    const auto patch = body_object(*request);
    if (!patch) return respond(error_answer(*request, patch.error()));
    std::vector<Error> errors;
    auto spec = patched(context, *job, *patch, errors);
    if (!spec)
        return respond(errors.empty() ? error_answer(*request, spec.error())
                                      : error_answer(*request, errors));
    const bool is_held = spec->hold;
    const bool changes_hold = job->state == JobState::kWaiting && is_held != job->held;
    const std::string actor = request->caller.actor;
    JobPatch change{std::move(*spec), job->version};
    context.commands.patch(
        job->id, std::move(change), actor,
        [&context, request, respond, id = job->id, is_held, changes_hold, actor](Result<void> done) {
            if (!done) return respond(error_answer(*request, done.error()));
            if (!changes_hold) return answer_with_job(context, request, respond);
            context.commands.act(id, is_held ? JobAction::kHold : JobAction::kRelease, actor,
                                 [&context, request, respond](Result<void> held) {
                                     if (!held) return respond(error_answer(*request, held.error()));
                                     answer_with_job(context, request, respond);
                                 });
        });
}

void delete_job(Context& context, const RequestPtr& request, Respond respond) {
    auto job = job_of(context, *request);
    if (!job) return respond(error_answer(*request, job.error()));
    context.commands.hide(job->id, request->caller.actor, [request, respond](Result<void> done) {
        respond(done ? no_content() : error_answer(*request, done.error()));
    });
}

}  // namespace nightshift::api::handle
