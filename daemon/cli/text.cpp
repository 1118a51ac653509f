#include "daemon/cli/text.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <utility>

namespace nightshift::cli {

namespace {

struct Glyph {
    char32_t code = 0;
    std::size_t bytes = 1;
    bool is_valid = false;
};

/// The first code point of `text`, which is not empty. Overlong forms and surrogates are invalid.
Glyph first_glyph(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text[0]);
    if (lead < 0x80) return {lead, 1, true};
    std::size_t length = 0;
    char32_t code = 0;
    if ((lead & 0xE0U) == 0xC0U) {
        length = 2, code = lead & 0x1FU;
    } else if ((lead & 0xF0U) == 0xE0U) {
        length = 3, code = lead & 0x0FU;
    } else if ((lead & 0xF8U) == 0xF0U) {
        length = 4, code = lead & 0x07U;
    }
    if (length == 0 || text.size() < length) return {lead, 1, false};
    for (std::size_t i = 1; i < length; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xC0U) != 0x80U) return {lead, 1, false};
        code = (code << 6U) | (byte & 0x3FU);
    }
    constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
    const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (code < kSmallest[length] || is_surrogate || code > 0x10FFFF) return {lead, 1, false};
    return {code, length, true};
}

bool is_combining(char32_t code) {
    return (code >= 0x300 && code <= 0x36F) || (code >= 0x200B && code <= 0x200D) ||
           (code >= 0xFE00 && code <= 0xFE0F) || (code >= 0x1160 && code <= 0x11FF) || code == 0xFEFF;
}

/// East Asian Wide and Fullwidth blocks of Unicode 15 (EastAsianWidth.txt), and emoji.
bool is_wide(char32_t code) {
    constexpr std::array<std::pair<char32_t, char32_t>, 12> kWide = {{{0x1100, 0x115F},
                                                                      {0x2E80, 0x303E},
                                                                      {0x3041, 0x33FF},
                                                                      {0x3400, 0x4DBF},
                                                                      {0x4E00, 0x9FFF},
                                                                      {0xA000, 0xA4CF},
                                                                      {0xAC00, 0xD7A3},
                                                                      {0xF900, 0xFAFF},
                                                                      {0xFE30, 0xFE6F},
                                                                      {0xFF00, 0xFF60},
                                                                      {0x1F300, 0x1FAFF},
                                                                      {0x20000, 0x3FFFD}}};
    for (const auto& [first, last] : kWide) {
        if (code >= first && code <= last) return true;
    }
    return false;
}

int width_of(const Glyph& glyph) {
    if (!glyph.is_valid) return 1;
    if (is_combining(glyph.code)) return 0;
    return is_wide(glyph.code) ? 2 : 1;
}

/// Characters that move the cursor, change its direction or hide: a terminal never gets them raw.
bool is_harmful(char32_t code) {
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0x200E || code == 0x200F || code == 0xFEFF;
}

std::string escaped(char32_t code) {
    char text[16];
    std::snprintf(text, sizeof text, code <= 0xFF ? "\\x%02x" : "\\u%04x", static_cast<unsigned>(code));
    return text;
}

}  // namespace

int display_width(std::string_view text) {
    int width = 0;
    while (!text.empty()) {
        const Glyph glyph = first_glyph(text);
        width += width_of(glyph);
        text.remove_prefix(glyph.bytes);
    }
    return width;
}

std::string pad_right(std::string_view text, int width) {
    std::string padded(text);
    for (int columns = display_width(text); columns < width; ++columns) padded += ' ';
    return padded;
}

std::string pad_left(std::string_view text, int width) {
    std::string padded;
    for (int columns = display_width(text); columns < width; ++columns) padded += ' ';
    return padded.append(text);
}

std::string shorten(std::string_view text, int width) {
    if (display_width(text) <= width) return std::string(text);
    std::string kept;
    int columns = 0;
    while (!text.empty()) {
        const Glyph glyph = first_glyph(text);
        if (columns + width_of(glyph) > width - 1) break;
        columns += width_of(glyph);
        kept.append(text.substr(0, glyph.bytes));
        text.remove_prefix(glyph.bytes);
    }
    return kept + "…";
}

std::string harmless(std::string_view text, bool keep_newlines) {
    std::string safe;
    safe.reserve(text.size());
    while (!text.empty()) {
        const Glyph glyph = first_glyph(text);
        const std::string_view bytes = text.substr(0, glyph.bytes);
        text.remove_prefix(glyph.bytes);
        if (glyph.code == '\t') {
            safe += '\t';
        } else if (keep_newlines && glyph.code == '\n') {
            safe += '\n';
        } else if (keep_newlines && glyph.code == '\r') {
            if (!text.starts_with('\n')) safe += '\n';
        } else if (!glyph.is_valid || is_harmful(glyph.code)) {
            safe += escaped(glyph.code);
        } else {
            safe += bytes;
        }
    }
    return safe;
}

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::int64_t unix_ms(std::string_view rfc3339) {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, offset_hours = 0, offset_minutes = 0;
    double second = 0;
    char sign = 'Z';
    const std::string text(rfc3339);
    const int fields = std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%lf%c%d:%d", &year, &month, &day, &hour,
                                   &minute, &second, &sign, &offset_hours, &offset_minutes);
    if (fields < 6) return -1;
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok()) return -1;
    const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    std::int64_t offset = 0;
    if (fields == 9) offset = (offset_hours * 60 + offset_minutes) * (sign == '-' ? -1 : 1);
    const std::int64_t minutes = days * 1440 + hour * 60 + minute - offset;
    return minutes * 60'000 + static_cast<std::int64_t>(second * 1000 + 0.5);
}

std::string local_time(std::string_view rfc3339) {
    if (rfc3339.empty()) return {};
    const std::int64_t at = unix_ms(rfc3339);
    if (at < 0) return harmless(rfc3339);
    constexpr std::int64_t kWeekMs = 7LL * 86'400'000;
    const std::int64_t distance = at - now_ms();
    const auto seconds = static_cast<std::time_t>(at / 1000);
    const std::tm* parts = std::localtime(&seconds);
    if (parts == nullptr) return std::string(rfc3339);
    const bool is_near = distance < kWeekMs && distance > -kWeekMs;
    char buffer[32];
    std::strftime(buffer, sizeof buffer, is_near ? "%a %H:%M" : "%Y-%m-%d %H:%M", parts);
    return buffer;
}

}  // namespace nightshift::cli
