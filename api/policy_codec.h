#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "scheduler/calendar.h"
#include "scheduler/policy.h"
#include "scheduler/result.h"

namespace nightshift::api {

/// Reads the document of contract.md "Policy". Every key is optional; an unknown one, an unknown zone
/// or a window that nothing defines is refused with the nearest known name and a JSON pointer.
Result<Policy> parse_policy(const nlohmann::json& document, const TimeZones& zones);
/// The same from text (strict JSON, at most 1 MiB): `--policy FILE` and policy.json.
Result<Policy> parse_policy_text(std::string_view text, const TimeZones& zones);

/// The document of a policy with every key filled in: what GET /api/v1/policy shows.
std::string policy_to_json(const Policy& policy);

}  // namespace nightshift::api
