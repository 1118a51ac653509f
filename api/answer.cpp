#include "api/answer.h"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "api/nearest.h"
#include "api/strict_json.h"

namespace nightshift::api {

Response json_answer(const nlohmann::ordered_json& body, int status) {
    Response response;
    response.status = status;
    response.body = dump_json(body) + "\n";
    return response;
}

Response problem_answer(const Request& request, const Problem& problem) {
    return to_response(problem, request.head.path, request.id);
}

Response error_answer(const Request& request, const Error& error) {
    return problem_answer(request, problem_of(error));
}

Response error_answer(const Request& request, const std::vector<Error>& errors) {
    return problem_answer(request, problem_of(errors));
}

Response no_content() {
    Response response;
    response.status = 204;
    return response;
}

Result<nlohmann::json> body_object(const Request& request) {
    if (request.body.empty()) return nlohmann::json::object();
    auto body = parse_json(request.body);
    if (!body) return body.error();
    if (!body->is_object()) {
        return Error{ErrorCode::kInvalidArgument, "bad_json", "The body has to be a JSON object.",
                     "Write {\"name\": value, ...}.", ""};
    }
    return body;
}

Result<Job> job_of(Context& context, const Request& request) {
    const std::string& text = request.param("id");
    std::int64_t id = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (code == std::errc() && end == text.data() + text.size() && id > 0) {
        auto job = context.queries.job(JobId{id});
        if (!job) return job.error();
        if (*job) return std::move(**job);
    }
    return Error{ErrorCode::kNotFound, "no_such_job", "There is no job " + text.substr(0, 40) + ".",
                 "GET /api/v1/jobs lists the jobs.", ""};
}

Result<std::int64_t> query_integer(const Request& request, std::string_view name, std::int64_t fallback,
                                   std::int64_t min, std::int64_t max) {
    const std::string* text = request.query_value(name);
    if (text == nullptr || text->empty()) return fallback;
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (code == std::errc() && end == text->data() + text->size() && value >= min && value <= max)
        return value;
    return Error{ErrorCode::kInvalidArgument, "bad_query",
                 "`" + std::string(name) + "` has to be a whole number from " + std::to_string(min) + " to " +
                     std::to_string(max) + ".",
                 "Correct it in the address.", ""};
}

bool query_flag(const Request& request, std::string_view name) {
    const std::string* text = request.query_value(name);
    return text != nullptr && (text->empty() || *text == "1" || *text == "true");
}

Status check_query(const Request& request, std::vector<std::string> known) {
    for (const auto& [name, value] : request.query) {
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        return Error{ErrorCode::kInvalidArgument, "bad_query",
                     "`" + name.substr(0, 100) + "` is not known in this address.", did_you_mean(name, known),
                     ""};
    }
    return {};
}

Result<std::optional<int>> if_match(const Request& request) {
    const std::string* header = request.head.find("if-match");
    if (header == nullptr) {
        return Error{ErrorCode::kConflict, "if_match_required",
                     "The change needs an If-Match header, so that it cannot undo somebody else's.",
                     "Send the ETag of the last GET: If-Match: \"7\".", ""};
    }
    if (*header == "*") return std::optional<int>();
    std::string_view text = *header;
    if (text.rfind("W/", 0) == 0) text.remove_prefix(2);
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
    int version = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), version);
    if (code == std::errc() && end == text.data() + text.size()) return std::optional<int>(version);
    return Error{ErrorCode::kConflict, "stale_etag", "The If-Match header names no version of this.",
                 "Send the ETag of the last GET.", ""};
}

std::string etag_of(int version) {
    return "\"" + std::to_string(version) + "\"";
}

}  // namespace nightshift::api
