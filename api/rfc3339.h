#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "scheduler/calendar.h"
#include "scheduler/units.h"

namespace nightshift::api {

/// "2026-11-21T22:00:00.000Z": the one form of times in answers.
std::string format_time(UnixMs at);

/// RFC 3339 with any offset ("2026-11-21T22:00:00+09:00", "…Z", fractions of a second).
std::optional<UnixMs> parse_time(std::string_view text);

/// "22:00": its next occurrence strictly after `now` in the system's zone.
std::optional<UnixMs> next_clock_time(std::string_view text, const TimeZones& zones, UnixMs now);

}  // namespace nightshift::api
