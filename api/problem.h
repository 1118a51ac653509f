#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "api/http_types.h"
#include "scheduler/result.h"

namespace nightshift::api {

/// An error answer after RFC 9457 (api.md 3.6).
struct Problem {
    int status = 500;
    std::string code = "internal";
    std::string detail;         ///< what is wrong, one sentence
    std::string hint;           ///< what to do next
    std::vector<Error> errors;  ///< the fields at fault
    NamedValues headers;        ///< e.g. Allow, Retry-After
    std::string extra_json;     ///< members beside the usual ones, a JSON object; may be empty
};

/// A problem of these four parts.
Problem make_problem(int status, std::string code, std::string detail, std::string hint);
/// Status and code by reason first, by ErrorCode where the reason is not special.
Problem problem_of(const Error& error);
Problem problem_of(const std::vector<Error>& errors);
/// The words of a code: "Host not allowed".
std::string title_of(std::string_view code);

/// `instance` is the path of the request.
Response to_response(const Problem& problem, const std::string& instance, const std::string& request_id);

/// One error as a line of a batch shows it: {"code","detail","hint","pointer"}.
nlohmann::ordered_json error_object(const Error& error);

}  // namespace nightshift::api
