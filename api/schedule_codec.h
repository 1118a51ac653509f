#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "api/submit_codec.h"
#include "scheduler/cron.h"
#include "scheduler/result.h"

namespace nightshift::api {

/// Reads the document of contract.md "Schedules" and checks every job of its chain with `defaults`
/// (paths of inputs need not exist yet). `jobs_json` of the result is always the array form and
/// `next_fire_at` is filled in. Fails: invalid_argument with a pointer ("/cron", "/jobs/1/kind").
Result<Schedule> parse_schedule(const nlohmann::json& document, const SubmitDefaults& defaults);
Result<Schedule> parse_schedule_text(std::string_view text, const SubmitDefaults& defaults);

/// The object that GET answers: the document plus next_fire_at, last_fire_at, created_at, version.
nlohmann::json schedule_object(const Schedule& schedule);

}  // namespace nightshift::api
