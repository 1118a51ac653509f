#include "api/rfc3339.h"

#include <chrono>
#include <cstdio>

namespace nightshift::api {
namespace {

/// Reads exactly `count` digits.
bool read_number(std::string_view& text, std::size_t count, int& out) {
    if (text.size() < count) return false;
    out = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (text[i] < '0' || text[i] > '9') return false;
        out = out * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    return true;
}

bool read_char(std::string_view& text, std::string_view allowed) {
    if (text.empty() || allowed.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

/// Any number of digits after the point; what lies below a millisecond is dropped.
bool read_fraction(std::string_view& text, int& ms) {
    ms = 0;
    if (text.empty() || text.front() != '.') return true;
    text.remove_prefix(1);
    int digits = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), ++digits) {
        if (digits < 3) ms = ms * 10 + (text.front() - '0');
    }
    for (int i = digits; i < 3; ++i) ms *= 10;
    return digits > 0;
}

bool read_offset(std::string_view& text, int& minutes) {
    minutes = 0;
    if (read_char(text, "Zz")) return true;
    const bool is_negative = !text.empty() && text.front() == '-';
    int hours = 0;
    if (!read_char(text, "+-") || !read_number(text, 2, hours) || !read_char(text, ":") ||
        !read_number(text, 2, minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    minutes = (hours * 60 + minutes) * (is_negative ? -1 : 1);
    return true;
}

}  // namespace

std::string format_time(UnixMs at) {
    using namespace std::chrono;
    const sys_time<milliseconds> instant{milliseconds{at.value}};
    const auto day = floor<days>(instant);
    const year_month_day date{day};
    const hh_mm_ss<milliseconds> clock{instant - day};
    char out[64];
    std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
    return out;
}

std::optional<UnixMs> parse_time(std::string_view text) {
    using namespace std::chrono;
    int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, ms = 0, offset = 0;
    const bool is_read = read_number(text, 4, y) && read_char(text, "-") && read_number(text, 2, mo) &&
                         read_char(text, "-") && read_number(text, 2, d) && read_char(text, "Tt ") &&
                         read_number(text, 2, h) && read_char(text, ":") && read_number(text, 2, mi) &&
                         read_char(text, ":") && read_number(text, 2, s) && read_fraction(text, ms) &&
                         read_offset(text, offset) && text.empty();
    if (!is_read || h > 23 || mi > 59 || s > 60) return std::nullopt;
    const year_month_day date{year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)}};
    if (!date.ok()) return std::nullopt;
    const std::int64_t days_since = sys_days{date}.time_since_epoch().count();
    const std::int64_t minutes_of_day = h * 60 + mi - offset;
    return UnixMs{((days_since * 1440 + minutes_of_day) * 60 + s) * 1000 + ms};
}

std::optional<UnixMs> next_clock_time(std::string_view text, const TimeZones& zones, UnixMs now) {
    int hour = 0, minute = 0;
    if (!read_number(text, 2, hour) || !read_char(text, ":") || !read_number(text, 2, minute) ||
        !text.empty() || hour > 23 || minute > 59) {
        return std::nullopt;
    }
    for (int ahead = 0; ahead < 3; ++ahead) {
        LocalTime local = zones.to_local("", now + hours(24 * ahead));
        local.minute = hour * 60 + minute;
        local.second = 0;
        const UnixMs at = zones.to_instant("", local);
        if (at > now) return at;
    }
    return std::nullopt;
}

}  // namespace nightshift::api
