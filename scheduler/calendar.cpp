#include "scheduler/calendar.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "scheduler/civil_day.h"

namespace nightshift {
namespace {

constexpr std::array<std::string_view, 7> kDayNames{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::uint8_t kEveryDay = 0x7f;
constexpr int kMinutesPerDay = 1440;
/// Rules repeat weekly; two weeks show every opening even when daylight saving swallows one.
constexpr int kDaysAhead = 15;

Error not_understood(std::string_view rule, std::string_view part) {
    return Error{ErrorCode::kInvalidArgument, "bad_window",
                 "\"" + std::string(part.substr(0, 40)) + "\" in the window rule \"" +
                     std::string(rule.substr(0, 60)) + "\" was not understood.",
                 "Write days and a time range, like \"mon-fri 22:00-06:00\" or \"daily 08:00-19:00\".", ""};
}

std::string lower_case(std::string_view text) {
    std::string out;
    for (const char c : text) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

std::optional<int> day_number(std::string_view name) {
    const auto found = std::find(kDayNames.begin(), kDayNames.end(), name);
    if (found == kDayNames.end()) return std::nullopt;
    return static_cast<int>(found - kDayNames.begin());
}

/// "mon-fri", "sat,sun", "fri-mon" (wraps), "daily".
std::optional<std::uint8_t> parse_days(std::string_view text) {
    if (text == "daily" || text == "*") return kEveryDay;
    std::uint8_t mask = 0;
    while (true) {
        const auto comma = text.find(',');
        const auto item = text.substr(0, comma);
        const auto dash = item.find('-');
        const auto first = day_number(item.substr(0, dash));
        const auto last = dash == std::string_view::npos ? first : day_number(item.substr(dash + 1));
        if (!first || !last) return std::nullopt;
        for (int day = *first;; day = (day + 1) % 7) {
            mask = static_cast<std::uint8_t>(mask | (1u << day));
            if (day == *last) break;
        }
        if (comma == std::string_view::npos) return mask;
        text.remove_prefix(comma + 1);
    }
}

/// "06:00" to minutes, 0..1440.
std::optional<int> parse_minute(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon > 2 || text.size() != colon + 3)
        return std::nullopt;
    int parts[2] = {0, 0};
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i == colon) continue;
        if (!std::isdigit(static_cast<unsigned char>(text[i]))) return std::nullopt;
        int& part = parts[i > colon ? 1 : 0];
        part = part * 10 + (text[i] - '0');
    }
    const int minute = parts[0] * 60 + parts[1];
    if (parts[1] > 59 || minute > kMinutesPerDay) return std::nullopt;
    return minute;
}

}  // namespace

Result<WindowRule> parse_window_rule(std::string_view text) {
    const std::string rule = lower_case(text);
    std::vector<std::string_view> words;
    for (std::size_t at = 0; at < rule.size();) {
        const auto from = rule.find_first_not_of(" \t", at);
        if (from == std::string::npos) break;
        const auto to = std::min(rule.find_first_of(" \t", from), rule.size());
        words.push_back(std::string_view(rule).substr(from, to - from));
        at = to;
    }
    if (words.size() != 2) return not_understood(text, text);
    const auto days = parse_days(words[0]);
    if (!days) return not_understood(text, words[0]);
    const auto dash = words[1].find('-');
    if (dash == std::string_view::npos) return not_understood(text, words[1]);
    const auto start = parse_minute(words[1].substr(0, dash));
    const auto end = parse_minute(words[1].substr(dash + 1));
    if (!start || *start == kMinutesPerDay) return not_understood(text, words[1].substr(0, dash));
    if (!end) return not_understood(text, words[1].substr(dash + 1));
    return WindowRule{*days, *start, *end == 0 ? kMinutesPerDay : *end};
}

std::vector<OpenStretch> open_stretches(const Window& window, const TimeZones& zones, UnixMs around) {
    std::vector<OpenStretch> all;
    const CivilDay today = day_of(zones.to_local(window.timezone, around));
    for (int offset = -2; offset <= kDaysAhead; ++offset) {
        const CivilDay day = today + offset;
        const int weekday = local_on(day, 0).weekday;
        for (const WindowRule& rule : window.rules) {
            if ((rule.days >> weekday & 1) == 0) continue;
            const CivilDay last_day = rule.end_minute <= rule.start_minute ? day + 1 : day;
            const UnixMs from = zones.to_instant(window.timezone, local_on(day, rule.start_minute));
            const UnixMs to = zones.to_instant(window.timezone, local_on(last_day, rule.end_minute));
            if (from < to) all.push_back({from, to});
        }
    }
    std::sort(all.begin(), all.end(),
              [](const OpenStretch& a, const OpenStretch& b) { return a.from < b.from; });
    std::vector<OpenStretch> joined;
    for (const OpenStretch& stretch : all) {
        if (!joined.empty() && stretch.from <= joined.back().to) {
            joined.back().to = std::max(joined.back().to, stretch.to);
        } else {
            joined.push_back(stretch);
        }
    }
    return joined;
}

bool is_open(const Window& window, const TimeZones& zones, UnixMs at) {
    for (const OpenStretch& stretch : open_stretches(window, zones, at)) {
        if (stretch.from <= at && at < stretch.to) return true;
    }
    return false;
}

std::optional<UnixMs> next_open(const Window& window, const TimeZones& zones, UnixMs at) {
    for (const OpenStretch& stretch : open_stretches(window, zones, at)) {
        if (stretch.from > at) return stretch.from;
    }
    return std::nullopt;
}

std::optional<UnixMs> close_of(const Window& window, const TimeZones& zones, UnixMs at) {
    for (const OpenStretch& stretch : open_stretches(window, zones, at)) {
        if (stretch.from <= at && at < stretch.to) {
            return stretch.to - at > kAlwaysOpenAfter ? std::nullopt : std::optional<UnixMs>(stretch.to);
        }
    }
    return std::nullopt;
}

}  // namespace nightshift
