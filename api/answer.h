#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "api/context.h"
#include "api/problem.h"

namespace nightshift::api {

/// 200 (or `status`) with a JSON body.
Response json_answer(const nlohmann::ordered_json& body, int status = 200);
Response problem_answer(const Request& request, const Problem& problem);
Response error_answer(const Request& request, const Error& error);
Response error_answer(const Request& request, const std::vector<Error>& errors);
Response no_content();

/// The JSON object of the body; an empty body is {}. Fails: "bad_json".
Result<nlohmann::json> body_object(const Request& request);

/// The job of the route's {id}. Fails: not_found "no_such_job".
Result<Job> job_of(Context& context, const Request& request);

/// A whole number of the query, or `fallback` when it is absent. Fails: "bad_query" out of min..max.
Result<std::int64_t> query_integer(const Request& request, std::string_view name, std::int64_t fallback,
                                   std::int64_t min, std::int64_t max);
/// "1", "true" or an empty value = true; absent = false.
bool query_flag(const Request& request, std::string_view name);
/// Fails: "bad_query" when the query has a name that is not listed.
Status check_query(const Request& request, std::vector<std::string> known);

/// The version of If-Match: "7" in quotation marks (weak ones too), or nothing for "*".
/// Fails: conflict "if_match_required" (428), "stale_etag" for anything unreadable.
Result<std::optional<int>> if_match(const Request& request);
std::string etag_of(int version);

}  // namespace nightshift::api
