#include "api/problem.h"

#include <array>
#include <string_view>

#include <nlohmann/json.hpp>

namespace nightshift::api {
namespace {

struct StatusRow {
    std::string_view reason;
    int status;
};

/// Reasons whose status does not follow from their ErrorCode.
constexpr std::array kStatuses{
    StatusRow{"bad_json", 400},          StatusRow{"stale_etag", 412},
    StatusRow{"if_match_required", 428}, StatusRow{"idempotency_mismatch", 422},
    StatusRow{"disk_low", 507},          StatusRow{"disk_full", 507},
    StatusRow{"queue_full", 429},        StatusRow{"too_many_requests", 429},
    StatusRow{"body_too_large", 413},    StatusRow{"wrong_content_type", 415},
    StatusRow{"bad_query", 400},         StatusRow{"bad_cursor", 400},
};

/// The documented code of an error: its reason, its ErrorCode where it has none.
std::string code_of(const Error& error) {
    return error.reason.empty() ? std::string(to_string(error.code)) : error.reason;
}

int status_of(const Error& error) {
    for (const StatusRow& row : kStatuses) {
        if (row.reason == error.reason) return row.status;
    }
    switch (error.code) {
        case ErrorCode::kInvalidArgument:
            return 422;
        case ErrorCode::kNotFound:
            return 404;
        case ErrorCode::kConflict:
            return 409;
        case ErrorCode::kExhausted:
            return 507;
        case ErrorCode::kUnavailable:
            return 503;
        case ErrorCode::kCancelled:
            return 409;
        case ErrorCode::kCorrupt:
            return 500;
        case ErrorCode::kUnsupported:
            return 501;
        case ErrorCode::kInternal:
            return 500;
    }
    return 500;
}

}  // namespace

Problem make_problem(int status, std::string code, std::string detail, std::string hint) {
    Problem problem;
    problem.status = status;
    problem.code = std::move(code);
    problem.detail = std::move(detail);
    problem.hint = std::move(hint);
    return problem;
}

Problem problem_of(const Error& error) {
    Problem problem;
    problem.status = status_of(error);
    problem.code = code_of(error);
    problem.detail = error.message;
    problem.hint = error.hint;
    if (!error.pointer.empty()) problem.errors.push_back(error);
    if (problem.status == 429 || problem.status == 503) problem.headers.emplace_back("Retry-After", "2");
    return problem;
}

Problem problem_of(const std::vector<Error>& errors) {
    if (errors.empty()) return problem_of(Error{});
    Problem problem = problem_of(errors.front());
    problem.errors = errors;
    return problem;
}

std::string title_of(std::string_view code) {
    std::string title(code);
    for (char& c : title) {
        if (c == '_') c = ' ';
    }
    if (!title.empty() && title[0] >= 'a' && title[0] <= 'z')
        title[0] = static_cast<char>(title[0] - 'a' + 'A');
    return title;
}

nlohmann::ordered_json error_object(const Error& error) {
    nlohmann::ordered_json object;
    object["code"] = code_of(error);
    object["detail"] = error.message;
    if (!error.hint.empty()) object["hint"] = error.hint;
    if (!error.pointer.empty()) object["pointer"] = error.pointer;
    return object;
}

Response to_response(const Problem& problem, const std::string& instance, const std::string& request_id) {
    nlohmann::ordered_json body;
    body["type"] = "/help/errors#" + problem.code;
    body["title"] = title_of(problem.code);
    body["status"] = problem.status;
    body["code"] = problem.code;
    body["detail"] = problem.detail;
    body["hint"] = problem.hint;
    auto errors = nlohmann::ordered_json::array();
    for (const Error& error : problem.errors) errors.push_back(error_object(error));
    body["errors"] = std::move(errors);
    body["instance"] = instance;
    body["request_id"] = request_id;
    if (!problem.extra_json.empty()) body.update(nlohmann::ordered_json::parse(problem.extra_json));
    Response response;
    response.status = problem.status;
    response.content_type = "application/problem+json";
    response.headers = problem.headers;
    response.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    response.code = problem.code;
    return response;
}

}  // namespace nightshift::api
