#include <charconv>

#include <nlohmann/json.hpp>

#include "api/event_stream.h"
#include "api/handlers/handlers.h"
#include "api/job_codec.h"

namespace nightshift::api::handle {
namespace {

using nlohmann::ordered_json;

/// The place to go on from: Last-Event-ID, else after=; -1 when neither is given.
Result<std::int64_t> resume_point(const Request& request) {
    const std::string* header = request.head.find("last-event-id");
    if (header == nullptr || header->empty()) return query_integer(request, "after", -1, 0, INT64_MAX);
    std::int64_t seq = 0;
    const auto [end, code] = std::from_chars(header->data(), header->data() + header->size(), seq);
    // An id of another daemon's stream: say so with resync, do not refuse.
    if (code != std::errc() || end != header->data() + header->size() || seq < 0) return INT64_MAX;
    return seq;
}

}  // namespace

void job_events(Context& context, const RequestPtr& request, Respond respond) {
    const auto job = job_of(context, *request);
    if (!job) return respond(error_answer(*request, job.error()));
    const auto after = query_integer(*request, "after", 0, 0, INT64_MAX);
    const auto limit = query_integer(*request, "limit", 1000, 1, 10'000);
    if (!after) return respond(error_answer(*request, after.error()));
    if (!limit) return respond(error_answer(*request, limit.error()));
    const auto found = context.queries.events(job->id, EventSeq{*after}, static_cast<int>(*limit));
    if (!found) return respond(error_answer(*request, found.error()));
    ordered_json body;
    body["job"] = job->id.value;
    body["events"] = ordered_json::array();
    for (const db::StoredEvent& event : *found) body["events"].push_back(stored_event_object(event));
    respond(json_answer(body));
}

void events(Context& context, const RequestPtr& request, Respond respond) {
    if (auto known = check_query(*request, {"after"}); !known)
        return respond(error_answer(*request, known.error()));
    const auto after = resume_point(*request);
    if (!after) return respond(error_answer(*request, after.error()));
    if (context.counters.sse_clients >= context.options.limits.sse_clients_max) {
        return respond(error_answer(*request, Error{ErrorCode::kExhausted, "too_many_requests",
                                                    "All event streams of this daemon are in use.",
                                                    "Close other tabs of the dashboard.", ""}));
    }
    const auto stream = std::make_shared<EventStream>(context);
    if (auto begun = stream->begin(*after); !begun) return respond(error_answer(*request, begun.error()));
    Response response;
    response.content_type = "text/event-stream";
    response.stream = stream;
    respond(std::move(response));
}

}  // namespace nightshift::api::handle
