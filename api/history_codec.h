#pragma once

#include <string>

#include "api/context.h"
#include "scheduler/history_file.h"

namespace nightshift::api {

// The objects of a history's lines, as text; scheduler/history_file.h says how they follow one another.

/// The job as the API shows it and everything else that is stored of it; no `env`, no token, no process. What
/// makes the line too long is left out and named in `left_out`.
std::string history_job_text(Context& context, const db::JobHistory& history);
std::string history_fire_text(const db::StoredFire& fire);

/// Reads a line's object. Fails with words that go on after "Line 7 of the history ".
Result<HistoryLine> parse_history_line(const std::string& text);

}  // namespace nightshift::api
