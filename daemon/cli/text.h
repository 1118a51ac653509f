#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nightshift::cli {

/// Columns that a terminal uses for UTF-8 text: two for Korean, Chinese, Japanese and emoji, none for
/// combining marks. Invalid bytes count one each.
int display_width(std::string_view text);

/// Pads with spaces to `width` columns; longer text stays as it is.
std::string pad_right(std::string_view text, int width);
std::string pad_left(std::string_view text, int width);

/// At most `width` columns, the last one an ellipsis when something was cut.
std::string shorten(std::string_view text, int width);

/// Makes text of others harmless on a terminal: control bytes, C1 controls, direction overrides and
/// invalid UTF-8 become `\x1b`, `\u202e`. Tabs stay. Newlines stay only with `keep_newlines`; a lone
/// carriage return is then a newline, since progress bars use it as one.
std::string harmless(std::string_view text, bool keep_newlines = false);

/// "2026-11-21T13:00:00.000Z" -> "Sat 22:00" within a week of now, else "2026-11-21 22:00", both in the
/// zone of this machine. Empty for empty, the text itself when it is no time.
std::string local_time(std::string_view rfc3339);

/// Milliseconds since 1970 of an RFC 3339 time; -1 when it is none.
std::int64_t unix_ms(std::string_view rfc3339);
std::int64_t now_ms();

}  // namespace nightshift::cli
