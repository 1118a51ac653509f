#include "api/handlers/handlers.h"
#include "api/log_stream.h"

namespace nightshift::api::handle {

// Raw bytes of every attempt in order. X-Log-Offset tells where the answer begins, so that a reader
// can go on later with from=.
void log(Context& context, const RequestPtr& request, Respond respond) {
    if (auto known = check_query(*request, {"tail", "from", "follow", "attempt"}); !known) {
        return respond(error_answer(*request, known.error()));
    }
    const auto job = job_of(context, *request);
    if (!job) return respond(error_answer(*request, job.error()));
    const auto tail = query_integer(*request, "tail", -1, 0, 1'000'000);
    const auto from = query_integer(*request, "from", -1, 0, INT64_MAX / 2);
    const auto attempt = query_integer(*request, "attempt", 0, 1, 1'000'000);
    for (const auto* number : {&tail, &from, &attempt}) {
        if (!*number) return respond(error_answer(*request, number->error()));
    }
    if (*tail >= 0 && *from >= 0) {
        return respond(error_answer(
            *request, Error{ErrorCode::kInvalidArgument, "bad_query", "`tail` and `from` exclude each other.",
                            "Leave one of them out.", ""}));
    }
    if (*attempt > job->attempt) {
        return respond(
            error_answer(*request, Error{ErrorCode::kNotFound, "no_such_attempt",
                                         "The job has had " + std::to_string(job->attempt) + " attempts.",
                                         "Leave `attempt` out for the log of all.", ""}));
    }
    LogStart start;
    start.job = job->id;
    start.only_attempt = static_cast<int>(*attempt);
    start.follow = query_flag(*request, "follow");
    start.offset = *from >= 0 ? *from : 0;
    if (*tail >= 0) start.offset = tail_offset(context, *job, start.only_attempt, *tail);
    Response response;
    response.content_type = "text/plain; charset=utf-8";
    response.headers.emplace_back("X-Log-Offset", std::to_string(start.offset));
    response.stream = std::make_shared<LogStream>(context, *job, start);
    respond(std::move(response));
}

}  // namespace nightshift::api::handle
