#include <sstream>

#include <nlohmann/json.hpp>

#include "api/handlers/handlers.h"
#include "api/job_codec.h"
#include "api/nearest.h"

namespace nightshift::api::handle {
namespace {

using nlohmann::ordered_json;

constexpr Millis kWaitMax = minutes(10);

Error bad_query(std::string message, std::string hint) {
    return {ErrorCode::kInvalidArgument, "bad_query", std::move(message), std::move(hint), ""};
}

std::vector<std::string> comma_list(const std::string* text) {
    std::vector<std::string> out;
    if (text == nullptr) return out;
    std::istringstream words(*text);
    for (std::string word; std::getline(words, word, ',');) {
        if (!word.empty()) out.push_back(word);
    }
    return out;
}

/// Beside the states: "live", "active" (live or waiting) and "finished".
Status add_states(const std::string& word, std::vector<JobState>& states) {
    static const std::vector<JobState> kAll{JobState::kWaiting,   JobState::kStarting, JobState::kRunning,
                                            JobState::kYielding,  JobState::kParked,   JobState::kStopping,
                                            JobState::kSucceeded, JobState::kFailed,   JobState::kCancelled,
                                            JobState::kSkipped,   JobState::kExpired};
    if (const auto state = parse_job_state(word)) {
        states.push_back(*state);
        return {};
    }
    if (word != "live" && word != "active" && word != "finished") {
        std::vector<std::string> names{"live", "active", "finished"};
        for (JobState state : kAll) names.emplace_back(to_string(state));
        return bad_query("`" + word.substr(0, 100) + "` is no state.", did_you_mean(word, names));
    }
    for (JobState state : kAll) {
        const bool is_wanted = word == "finished" ? is_terminal(state)
                               : word == "live"   ? is_live(state)
                                                  : !is_terminal(state);
        if (is_wanted) states.push_back(state);
    }
    return {};
}

Result<db::JobFilter> filter_of(const Request& request) {
    db::JobFilter filter;
    NIGHTSHIFT_TRY(check_query(request, {"state", "kind", "class", "q", "schedule", "limit", "cursor"}));
    for (const std::string& word : comma_list(request.query_value("state"))) {
        NIGHTSHIFT_TRY(add_states(word, filter.states));
    }
    filter.kinds = comma_list(request.query_value("kind"));
    for (const std::string& word : comma_list(request.query_value("class"))) {
        const auto job_class = parse_job_class(word);
        if (!job_class) {
            return bad_query("`" + word.substr(0, 100) + "` is no class.",
                             did_you_mean(word, {"inference", "training", "evaluation", "synthesis"}));
        }
        filter.classes.push_back(*job_class);
    }
    if (const std::string* text = request.query_value("q")) filter.text = text->substr(0, kNameBytesMax);
    if (const std::string* name = request.query_value("schedule")) filter.schedule = *name;
    const auto limit = query_integer(request, "limit", 50, 1, 200);
    if (!limit) return limit.error();
    filter.limit = static_cast<int>(*limit);
    const auto cursor = query_integer(request, "cursor", 0, 0, INT64_MAX);
    if (!cursor) {
        return Error{ErrorCode::kInvalidArgument, "bad_cursor", "`cursor` is not one that this daemon gave.",
                     "Take `next` of the last answer, or leave it out for the first page.", ""};
    }
    filter.before_id = *cursor;
    return filter;
}

Response job_answer(Context& context, const Job& job) {
    WaitReasons reasons(context);
    Response response = json_answer(job_object(context, job, reasons));
    response.headers.emplace_back("ETag", etag_of(job.version));
    return response;
}

/// A GET that waits for its job to change, or to end.
class JobWait : public std::enable_shared_from_this<JobWait> {
  public:
    JobWait(Context& context, RequestPtr request, Respond respond, int version, bool until_finished)
        : context_(context),
          request_(std::move(request)),
          respond_(std::move(respond)),
          version_(version),
          until_finished_(until_finished) {}

    void begin(JobId id, Millis limit) {
        id_ = id;
        listening_ = context_.hub.listen([self = shared_from_this()](const HubEvent& event) {
            if (event.record.job == self->id_ && event.record.seq) self->look(false);
        });
        timer_ = context_.timers.after(limit, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->look(true);
        });
    }

  private:
    void look(bool is_over) {
        if (!respond_) return;
        auto job = context_.queries.job(id_);
        const bool is_found = job && job->has_value();
        const bool is_done =
            !is_found || (until_finished_ ? is_terminal((*job)->state) : (*job)->version != version_);
        if (!is_done && !is_over) return;
        // The listener owns this object: let go of it after this call.
        const auto self = shared_from_this();
        Respond respond = std::move(respond_);
        respond_ = nullptr;
        listening_.reset();
        timer_.reset();
        if (!job) return respond(error_answer(*request_, job.error()));
        if (!is_found) return respond(error_answer(*request_, job_of(context_, *request_).error()));
        respond(job_answer(context_, **job));
    }

    Context& context_;
    RequestPtr request_;
    Respond respond_;
    int version_;
    bool until_finished_;
    JobId id_;
    std::shared_ptr<void> listening_, timer_;
};

}  // namespace

void list_jobs(Context& context, const RequestPtr& request, Respond respond) {
    const auto filter = filter_of(*request);
    if (!filter) return respond(error_answer(*request, filter.error()));
    auto page = context.queries.jobs(*filter);
    if (!page) return respond(error_answer(*request, page.error()));
    ordered_json body;
    body["jobs"] = ordered_json::array();
    WaitReasons reasons(context);
    for (const Job& job : page->jobs) body["jobs"].push_back(job_object(context, job, reasons));
    body["next"] = nullptr;
    if (page->next_before_id != 0) body["next"] = std::to_string(page->next_before_id);
    respond(json_answer(body));
}

void get_job(Context& context, const RequestPtr& request, Respond respond) {
    if (auto known = check_query(*request, {"wait", "until"}); !known)
        return respond(error_answer(*request, known.error()));
    auto job = job_of(context, *request);
    if (!job) return respond(error_answer(*request, job.error()));
    const std::string* until = request->query_value("until");
    if (until != nullptr && *until != "finished" && *until != "changed") {
        return respond(
            error_answer(*request, bad_query("`until` has to be \"finished\" or \"changed\".", "")));
    }
    const std::string* wait = request->query_value("wait");
    const bool until_finished = until != nullptr && *until == "finished";
    if (wait == nullptr || (until_finished && is_terminal(job->state)))
        return respond(job_answer(context, *job));
    const auto limit = parse_duration(*wait);
    if (!limit || limit->value <= 0 || *limit > kWaitMax) {
        return respond(error_answer(
            *request, bad_query("`wait` has to be a time up to 10 minutes.", "Write wait=30s.")));
    }
    std::make_shared<JobWait>(context, request, std::move(respond), job->version, until_finished)
        ->begin(job->id, *limit);
}

void why(Context& context, const RequestPtr& request, Respond respond) {
    auto job = job_of(context, *request);
    if (!job) return respond(error_answer(*request, job.error()));
    auto object = why_of(context, *job);
    if (!object) return respond(error_answer(*request, object.error()));
    respond(json_answer(*object));
}

}  // namespace nightshift::api::handle
