#include "scheduler/cron.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <span>

#include "scheduler/civil_day.h"
#include "scheduler/defect.h"

namespace nightshift {
namespace {

constexpr std::size_t kTextMax = 256;
constexpr int kYearsAhead = 8;
constexpr std::array<std::string_view, 12> kMonthNames{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDayNames{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
    std::string_view name;
    int min, max;
    std::span<const std::string_view> names;
    int names_from;
};
const std::array<Field, 5> kFields{
    Field{"minute", 0, 59, {}, 0},
    Field{"hour", 0, 23, {}, 0},
    Field{"day of month", 1, 31, {}, 0},
    Field{"month", 1, 12, kMonthNames, 1},
    Field{"day of week", 0, 7, kDayNames, 0},
};

Error bad_cron(const std::string& message) {
    return Error{ErrorCode::kInvalidArgument, "bad_cron", message,
                 "Write minute, hour, day of month, month and day of week, like \"0 22 * * mon-fri\".", ""};
}

Error bad_field(const Field& field, std::string_view part) {
    return bad_cron("\"" + std::string(part.substr(0, 40)) + "\" is not a " + std::string(field.name) + " (" +
                    std::to_string(field.min) + "-" + std::to_string(field.max) + ").");
}

std::optional<int> parse_number(const Field& field, std::string_view text) {
    for (std::size_t i = 0; i < field.names.size(); ++i) {
        if (field.names[i] == text) return static_cast<int>(i) + field.names_from;
    }
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (number < field.min || number > field.max) return std::nullopt;
    return number;
}

/// One list item: "*", "*/5", "3", "1-5", "1-5/2".
Result<std::uint64_t> parse_item(const Field& field, std::string_view item) {
    const auto slash = item.find('/');
    const auto range = item.substr(0, slash);
    const auto dash = range.find('-');
    int first = field.min;
    int last = field.max;
    if (range != "*") {
        const auto from = parse_number(field, range.substr(0, dash));
        const auto to = dash == std::string_view::npos ? from : parse_number(field, range.substr(dash + 1));
        if (!from || !to) return bad_field(field, item);
        first = *from;
        last = *to;
        // "sat-sun": Sunday is 7 at the end of a range.
        if (field.max == 7 && last == 0 && first > 0) last = 7;
    }
    int step = 1;
    if (slash != std::string_view::npos) {
        const auto text = item.substr(slash + 1);
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
        const bool is_range = range == "*" || dash != std::string_view::npos;
        if (error != std::errc{} || end != text.data() + text.size() || step < 1 || step > field.max ||
            !is_range) {
            return bad_field(field, item);
        }
    }
    if (last < first) return bad_field(field, item);
    std::uint64_t mask = 0;
    for (int value = first; value <= last; value += step) mask |= std::uint64_t{1} << value;
    return mask;
}

Result<std::uint64_t> parse_field(const Field& field, std::string_view text) {
    std::uint64_t mask = 0;
    while (true) {
        const auto comma = text.find(',');
        const auto item = parse_item(field, text.substr(0, comma));
        if (!item) return item.error();
        mask |= *item;
        if (comma == std::string_view::npos) return mask;
        text.remove_prefix(comma + 1);
    }
}

std::string_view expand_word(std::string_view text) {
    if (text == "@hourly") return "0 * * * *";
    if (text == "@daily" || text == "@midnight") return "0 0 * * *";
    if (text == "@weekly") return "0 0 * * 0";
    if (text == "@monthly") return "0 0 1 * *";
    if (text == "@yearly" || text == "@annually") return "0 0 1 1 *";
    return text;
}

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    for (std::size_t at = 0; at < text.size();) {
        const auto from = text.find_first_not_of(" \t", at);
        if (from == std::string_view::npos) break;
        const auto to = std::min(text.find_first_of(" \t", from), text.size());
        words.push_back(text.substr(from, to - from));
        at = to;
    }
    return words;
}

bool matches_day(const Cron& cron, const LocalTime& day) {
    if ((cron.months >> day.month & 1) == 0) return false;
    const bool is_date = (cron.days >> day.day & 1) != 0;
    const bool is_weekday = (cron.weekdays >> (day.weekday + 1) % 7 & 1) != 0;
    if (cron.is_day_restricted && cron.is_weekday_restricted) return is_date || is_weekday;
    return is_date && is_weekday;
}

std::string clock_text(int minute) {
    char out[32];
    std::snprintf(out, sizeof out, "%02d:%02d", minute / 60, minute % 60);
    return out;
}

Fire fire_at(const std::string& zone, const TimeZones& zones, const LocalTime& local, UnixMs at) {
    if (zones.is_in_gap(zone, local)) {
        return {at, clock_text(local.minute) + " does not exist on this day (clocks go forward); fires at " +
                        clock_text(zones.to_local(zone, at).minute) + " instead"};
    }
    if (zones.is_repeated(zone, local)) {
        return {at,
                clock_text(local.minute) + " comes twice on this day (clocks go back); fires at the first"};
    }
    return {at, ""};
}

}  // namespace

Result<Cron> parse_cron(std::string_view text) {
    if (text.size() > kTextMax) return bad_cron("The cron expression is longer than 256 characters.");
    std::string lower;
    for (const char c : text) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    auto words = words_of(lower);
    if (words.size() == 1) words = words_of(expand_word(words.front()));
    if (words.size() != kFields.size()) {
        return bad_cron("\"" + std::string(text.substr(0, 60)) + "\" has " + std::to_string(words.size()) +
                        " fields; cron needs five.");
    }
    std::array<std::uint64_t, 5> masks{};
    for (std::size_t i = 0; i < kFields.size(); ++i) {
        const auto mask = parse_field(kFields[i], words[i]);
        if (!mask) return mask.error();
        masks[i] = *mask;
    }
    Cron cron;
    cron.minutes = masks[0];
    cron.hours = static_cast<std::uint32_t>(masks[1]);
    cron.days = static_cast<std::uint32_t>(masks[2]);
    cron.months = static_cast<std::uint16_t>(masks[3]);
    cron.weekdays = static_cast<std::uint8_t>((masks[4] & 0x7f) | (masks[4] >> 7 & 1));
    cron.is_day_restricted = words[2].front() != '*';
    cron.is_weekday_restricted = words[4].front() != '*';
    return cron;
}

std::optional<Fire> next_fire(const Cron& cron, const std::string& zone, const TimeZones& zones,
                              UnixMs after) {
    const LocalTime start = zones.to_local(zone, after);
    const CivilDay first_day = day_of(start);
    for (std::int64_t offset = 0; offset <= kYearsAhead * 366; ++offset) {
        const CivilDay day = first_day + offset;
        if (!matches_day(cron, local_on(day, 0))) continue;
        // Local times up to `after`'s own lie at or before it: to_instant never goes backwards.
        for (int minute = offset == 0 ? start.minute : 0; minute < 1440; ++minute) {
            if ((cron.hours >> (minute / 60) & 1) == 0 || (cron.minutes >> (minute % 60) & 1) == 0) continue;
            const LocalTime local = local_on(day, minute);
            const UnixMs at = zones.to_instant(zone, local);
            if (at > after && NIGHTSHIFT_RULE(17, true, !zones.is_in_gap(zone, local)))
                return fire_at(zone, zones, local, at);
        }
    }
    return std::nullopt;
}

}  // namespace nightshift
